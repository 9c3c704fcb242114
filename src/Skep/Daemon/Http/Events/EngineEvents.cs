using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Skep.Daemon.Http.Events;

/// <summary>
/// The last 256 events and those who follow them. A follower that does not keep up loses its oldest unread events rather than
/// hold up the daemon. Thread-safe.
/// </summary>
public sealed class EngineEvents
{
    /// <summary>Past events that a new follower can ask for.</summary>
    public const int Kept = 256;

    private const int Unread = 1024;
    private readonly Lock _gate = new();
    private readonly Queue<EngineEvent> _past = new(Kept);
    private readonly List<Channel<EngineEvent>> _followers = [];

    public void Publish(EngineEvent happened)
    {
        lock (_gate)
        {
            if (_past.Count == Kept)
            {
                _past.Dequeue();
            }

            _past.Enqueue(happened);
            foreach (var follower in _followers)
            {
                follower.Writer.TryWrite(happened);
            }
        }
    }

    /// <summary>The past, and everything after it: nothing is lost or seen twice between the two.</summary>
    public (IReadOnlyList<EngineEvent> Past, IAsyncEnumerable<EngineEvent> Following) SnapshotAndFollow()
    {
        var channel = Channel.CreateBounded<EngineEvent>(new BoundedChannelOptions(Unread) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_gate)
        {
            _followers.Add(channel);
            return ([.. _past], FollowAsync(channel));
        }
    }

    private async IAsyncEnumerable<EngineEvent> FollowAsync(
        Channel<EngineEvent> channel, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return happened;
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
