using System.Runtime.CompilerServices;

namespace Skep.Model.Flow;

/// <summary>
/// A newest value and a watch over it. A slow reader skips to the newest value; a value that does not supersede the
/// present one is refused at the door.
/// </summary>
public sealed class Watched<T>(T initial, Func<T, T, bool> supersedes)
{
    private readonly Lock _gate = new();
    private Node _head = new(initial);

    /// <summary>The newest value.</summary>
    public T Value => Volatile.Read(ref _head).Value;

    /// <summary>Puts <paramref name="next"/> in place when it supersedes the present value.</summary>
    public bool TryPublish(T next)
    {
        Node old;
        lock (_gate)
        {
            old = _head;
            if (!supersedes(next, old.Value))
            {
                return false;
            }

            Volatile.Write(ref _head, new Node(next));
        }

        old.Replaced.SetResult();
        return true;
    }

    /// <summary>The present value, then each newer one that is there when the reader comes back.</summary>
    public async IAsyncEnumerable<T> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var node = Volatile.Read(ref _head);
            yield return node.Value;
            await node.Replaced.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits for a value that satisfies <paramref name="condition"/> and returns it.</summary>
    public async Task<T> WaitAsync(Func<T, bool> condition, CancellationToken cancellationToken)
    {
        while (true)
        {
            var node = Volatile.Read(ref _head);
            if (condition(node.Value))
            {
                return node.Value;
            }

            await node.Replaced.Task.WaitAsync(cancellationToken);
        }
    }

    private sealed class Node(T value)
    {
        public T Value { get; } = value;
        public TaskCompletionSource Replaced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
