using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Skep.Model.Objects;

namespace Skep.Manager.Store;

/// <summary>The newest view, those who follow it, and those who wait for a revision. One thread publishes.</summary>
internal sealed class StoreMirror
{
    private readonly Lock _gate = new();
    private readonly List<Channel<StoreCommit>> _followers = [];
    private readonly PriorityQueue<TaskCompletionSource, ulong> _waiting = new();
    private StoreView _current = StoreView.Empty;

    public StoreView Current => Volatile.Read(ref _current);

    /// <summary>Applies one commit: the view, its followers and its waiters see it in this order.</summary>
    public void Publish(ulong revision, List<SwarmObject> written, List<(ObjectKind Kind, string Id)> removed)
    {
        lock (_gate)
        {
            var commit = _current.Apply(revision, written, removed);
            Volatile.Write(ref _current, commit.View);
            if (commit.Events.Count > 0)
            {
                foreach (var follower in _followers)
                {
                    follower.Writer.TryWrite(commit);
                }
            }

            while (_waiting.TryPeek(out var waiter, out var awaited) && awaited <= revision)
            {
                _waiting.Dequeue();
                waiter.TrySetResult();
            }
        }
    }

    public StoreSubscription SnapshotAndFollow()
    {
        lock (_gate)
        {
            var channel = Channel.CreateUnbounded<StoreCommit>(new UnboundedChannelOptions { SingleReader = true });
            _followers.Add(channel);
            return new StoreSubscription(_current, FollowAsync(channel));
        }
    }

    /// <summary>Completes when <see cref="Current"/> is of <paramref name="revision"/> or newer.</summary>
    public Task ReachedAsync(ulong revision)
    {
        lock (_gate)
        {
            if (_current.Revision >= revision)
            {
                return Task.CompletedTask;
            }

            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(waiter, revision);
            return waiter.Task;
        }
    }

    private async IAsyncEnumerable<StoreCommit> FollowAsync(
        Channel<StoreCommit> channel,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var commit in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return commit;
            }
        }
        finally
        {
            lock (_gate)
            {
                _followers.Remove(channel);
            }
        }
    }
}
