using Microsoft.Extensions.Logging;
using Skep.Agent.Assignments;
using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Network;

namespace Skep.Agent.Tasks;

/// <summary>What every task's runner works with.</summary>
internal sealed class TaskContext(IContainerRuntime runtime, IImageStore images, INodeNetwork network, TimeProvider clock, ILogger log)
{
    public IContainerRuntime Runtime { get; } = runtime;
    public IImageStore Images { get; } = images;
    public INodeNetwork Network { get; } = network;
    public TimeProvider Clock { get; } = clock;
    public ILogger Log { get; } = log;

    /// <summary>The newest assignments.</summary>
    public required Watched<AssignmentSet> Plan { get; init; }

    /// <summary>This node as the managers know it.</summary>
    public required Func<SwarmNode> Node { get; init; }

    /// <summary>Takes a new status to the managers; never blocks.</summary>
    public required Action<string, SwarmTaskStatus> Report { get; init; }

    /// <summary>Waits until the container is healthy (or unhealthy, if that counts), has ended, or is no longer wished for.</summary>
    public Task<ContainerSnapshot> HealthyOrEndedAsync(string id, bool orUnhealthy, Func<bool> unwished, Watched<SwarmTask> wish, CancellationToken stopping) =>
        UntilAsync(id, c => c.Health?.Status == "healthy" || (orUnhealthy && c.Health?.Status == "unhealthy"), unwished, wish, stopping);

    /// <summary>Waits until an unhealthy container is healthy again, has ended, or is no longer wished for.</summary>
    public Task<ContainerSnapshot> RecoveredOrEndedAsync(string id, Func<bool> unwished, Watched<SwarmTask> wish, CancellationToken stopping) =>
        HealthyOrEndedAsync(id, orUnhealthy: false, unwished, wish, stopping);

    /// <summary>Waits until the container has ended, is unhealthy, or is no longer wished for.</summary>
    public Task<ContainerSnapshot> EndedOrUnhealthyAsync(string id, Func<bool> unwished, Watched<SwarmTask> wish, CancellationToken stopping) =>
        UntilAsync(id, c => c.Health?.Status == "unhealthy", unwished, wish, stopping);

    private async Task<ContainerSnapshot> UntilAsync(
        string id,
        Func<ContainerSnapshot, bool> enough,
        Func<bool> unwished,
        Watched<SwarmTask> wish,
        CancellationToken stopping)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            var events = Runtime.FollowAsync(ending.Token);
            var changed = WatchAsync(events, id, enough, ending.Token);
            var ended = Runtime.WaitAsync(id, ending.Token);
            var withdrawn = wish.WaitAsync(_ => unwished(), ending.Token);
            await await Task.WhenAny(changed, ended, withdrawn);
            return Runtime.Find(id);
        }
        finally
        {
            await ending.CancelAsync();
        }
    }

    /// <summary>Ends when the container is as wished, or by <paramref name="ending"/>.</summary>
    private async Task WatchAsync(IAsyncEnumerable<ContainerEvent> events, string id, Func<ContainerSnapshot, bool> enough, CancellationToken ending)
    {
        // The stream is open before the state is read, so a change between the two is not lost.
        var follower = events.GetAsyncEnumerator(ending);
        var next = follower.MoveNextAsync().AsTask();
        try
        {
            while (!enough(Runtime.Find(id)) && await next)
            {
                next = follower.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            // Whoever waits for this has his answer; the stream itself ends with the token.
            _ = next.ContinueWith(_ => follower.DisposeAsync().AsTask(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }
}
