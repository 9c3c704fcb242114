using Skep.Model.Objects;

namespace Skep.Manager.Orchestration;

/// <summary>What of a node matters to where tasks run. Nodes report what they have applied all the time; that is not part of it.</summary>
public static class NodeFacts
{
    public static bool Differ(SwarmNode one, SwarmNode other) =>
        one.Status.State != other.Status.State
        || one.Spec.Availability != other.Spec.Availability
        || one.Role != other.Role
        || one.Status.Addr != other.Status.Addr
        || one.IngressAddress != other.IngressAddress
        || one.IngressAddress6 != other.IngressAddress6
        || !Same(one.Spec.Labels, other.Spec.Labels)
        || Differ(one.Description, other.Description);

    private static bool Differ(NodeDescription? one, NodeDescription? other)
    {
        if (one is null || other is null)
        {
            return one is not null || other is not null;
        }

        return one.Hostname != other.Hostname
            || one.DataPlane != other.DataPlane
            || one.Platform != other.Platform
            || one.Resources.NanoCPUs != other.Resources.NanoCPUs
            || one.Resources.MemoryBytes != other.Resources.MemoryBytes
            || !Same(one.Resources.GenericResources, other.Resources.GenericResources)
            || !Same(one.Engine.Labels, other.Engine.Labels)
            || !Same(one.Engine.Plugins, other.Engine.Plugins);
    }

    private static bool Same<T>(IReadOnlyList<T>? one, IReadOnlyList<T>? other) => (one ?? []).SequenceEqual(other ?? []);

    private static bool Same(IReadOnlyDictionary<string, string>? one, IReadOnlyDictionary<string, string>? other) =>
        (one?.Count ?? 0) == (other?.Count ?? 0)
        && (one is null || one.All(pair => other?.GetValueOrDefault(pair.Key) == pair.Value));
}
