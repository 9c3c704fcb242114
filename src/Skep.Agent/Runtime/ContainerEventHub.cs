using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Skep.Agent.Runtime;

/// <summary>Hands every event to every follower, in order. A follower that does not read holds up nobody; its events wait in memory.</summary>
internal sealed class ContainerEventHub
{
    private readonly ConcurrentDictionary<Channel<ContainerEvent>, bool> _followers = new();

    public void Publish(ContainerEvent happened)
    {
        foreach (var follower in _followers.Keys)
        {
            follower.Writer.TryWrite(happened);
        }
    }

    /// <summary>Follows from this call on, not from the first read.</summary>
    public IAsyncEnumerable<ContainerEvent> FollowAsync(CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<ContainerEvent>(new UnboundedChannelOptions { SingleReader = true });
        _followers[channel] = true;
        var registration = cancellationToken.UnsafeRegister(_ => _followers.TryRemove(channel, out var _), null);
        return ReadAsync(channel, registration, cancellationToken);
    }

    public void Complete()
    {
        foreach (var follower in _followers.Keys)
        {
            follower.Writer.TryComplete();
        }
    }

    private async IAsyncEnumerable<ContainerEvent> ReadAsync(
        Channel<ContainerEvent> channel, CancellationTokenRegistration registration, [EnumeratorCancellation] CancellationToken cancellationToken)
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
            _followers.TryRemove(channel, out _);
            await registration.DisposeAsync();
        }
    }
}
