using System.Collections.Immutable;

namespace Skep.Model.Plans;

/// <summary>What a record of a plan is.</summary>
public enum PlanPart
{
    Network,
    Peer,
    Service,
    Endpoint,
}

/// <summary>A record of a plan; the id is that of the network, node, service or task.</summary>
public readonly record struct PlanRecordKey(PlanPart Part, string NetworkId, string Id);

/// <summary>
/// Which records of a plan may differ from those of the plan before, so that a change costs what changed and not the plan. Without
/// it, everything may differ.
/// </summary>
/// <param name="Before">The plan that it is a change of; it says nothing to who holds another one.</param>
/// <param name="Keys">Every record that was set or removed since, whether or not it is another now.</param>
public sealed record PlanDelta(NodePlan Before, ImmutableHashSet<PlanRecordKey> Keys)
{
    /// <summary>Both changes one after the other; null when they do not follow each other or one of them is unknown.</summary>
    public static PlanDelta? Join(PlanDelta? first, NodePlan between, PlanDelta? second)
    {
        ArgumentNullException.ThrowIfNull(between);
        return first is not null && second is not null && ReferenceEquals(second.Before, between) ? first with { Keys = first.Keys.Union(second.Keys) } : null;
    }
}
