using System.Globalization;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Daemon.Http.Events;

/// <summary>Commits of the store as events of scope swarm. Tasks have none; the cluster's object has none.</summary>
public static class ClusterEvents
{
    /// <summary>Publishes every commit from now on until <paramref name="stopping"/>; the daemon runs it while it is a manager.</summary>
    public static async Task FollowAsync(IClusterStore store, EngineEvents events, TimeProvider clock, CancellationToken stopping)
    {
        await foreach (var commit in store.SnapshotAndFollow().Commits.WithCancellation(stopping))
        {
            foreach (var change in commit.Events)
            {
                if (Of(change, clock) is { } happened)
                {
                    events.Publish(happened);
                }
            }
        }
    }

    internal static EngineEvent? Of(StoreEvent change, TimeProvider clock)
    {
        if (change is { Old: SwarmService before, New: SwarmService after } && IsOwnWork(before, after))
        {
            return null;
        }

        var (type, attributes) = change.Subject switch
        {
            SwarmNode node => ("node", Of(change.Old as SwarmNode, node)),
            SwarmService service => ("service", Of(change.Old as SwarmService, service)),
            SwarmNetwork network => ("network", new Dictionary<string, string> { ["name"] = network.Spec.Name }),
            _ => ("", []),
        };
        var (action, at) = change switch
        {
            { Old: null } => ("create", change.New!.CreatedAt),
            { New: null } => ("remove", clock.GetUtcNow()),
            _ => ("update", change.New!.UpdatedAt),
        };
        return type.Length == 0 ? null : new EngineEvent(type, action, change.Subject.Id, at) { Scope = EngineEvent.Swarm, Attributes = attributes };
    }

    /// <summary>The allocator writes its addresses into a service; nobody asked for that, so nobody is told.</summary>
    private static bool IsOwnWork(SwarmService before, SwarmService after) =>
        before.SpecVersion == after.SpecVersion && before.UpdateStatus?.State == after.UpdateStatus?.State;

    private static Dictionary<string, string> Of(SwarmNode? old, SwarmNode node)
    {
        var attributes = new Dictionary<string, string>
        {
            ["name"] = string.IsNullOrEmpty(node.Spec.Name) ? node.Description?.Hostname ?? "" : node.Spec.Name,
        };
        if (old is not null)
        {
            Changed(attributes, "role", old.Spec.Role, node.Spec.Role);
            Changed(attributes, "availability", old.Spec.Availability, node.Spec.Availability);
            Changed(attributes, "state", Word(old.Status.State), Word(node.Status.State));
            Changed(attributes, "leader", Word(old.ManagerStatus?.Leader), Word(node.ManagerStatus?.Leader));
            Changed(attributes, "reachability", old.ManagerStatus?.Reachability, node.ManagerStatus?.Reachability);
        }

        return attributes;
    }

    private static Dictionary<string, string> Of(SwarmService? old, SwarmService service)
    {
        var attributes = new Dictionary<string, string> { ["name"] = service.Spec.Name };
        if (old is not null)
        {
            Changed(attributes, "image", old.Spec.TaskTemplate.ContainerSpec?.Image, service.Spec.TaskTemplate.ContainerSpec?.Image);
            Changed(attributes, "replicas", Word(old.Spec.Mode.Replicated?.Replicas), Word(service.Spec.Mode.Replicated?.Replicas));
            Changed(attributes, "updatestate", Word(old.UpdateStatus?.State), Word(service.UpdateStatus?.State));
        }

        return attributes;
    }

    private static void Changed(Dictionary<string, string> attributes, string key, string? old, string? next)
    {
        if (old == next)
        {
            return;
        }

        if (!string.IsNullOrEmpty(old))
        {
            attributes[key + ".old"] = old;
        }

        if (!string.IsNullOrEmpty(next))
        {
            attributes[key + ".new"] = next;
        }
    }

    private static string Word(NodeState state) => state.ToString().ToLowerInvariant();

    private static string? Word(bool? value) => value switch { null => null, true => "true", false => "false" };

    private static string? Word(ulong? value) => value?.ToString(CultureInfo.InvariantCulture);

    private static string? Word(UpdateState? state) => state switch
    {
        null => null,
        UpdateState.RollbackStarted => "rollback_started",
        UpdateState.RollbackPaused => "rollback_paused",
        UpdateState.RollbackCompleted => "rollback_completed",
        _ => state.Value.ToString().ToLowerInvariant(),
    };
}
