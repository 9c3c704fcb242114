using Skep.Agent.Runtime;

namespace Skep.Daemon.Http.Events;

/// <summary>What happens to containers, as events of scope local.</summary>
public static class ContainerEvents
{
    /// <summary>Publishes until <paramref name="stopping"/>; the daemon runs it from its start.</summary>
    public static async Task FollowAsync(IContainerRuntime runtime, EngineEvents events, CancellationToken stopping)
    {
        await foreach (var happened in runtime.FollowAsync(stopping))
        {
            events.Publish(new EngineEvent("container", happened.Action, happened.ContainerId, happened.At) { Attributes = happened.Attributes });
        }
    }
}
