using System.Collections.Immutable;

namespace Skep.Model.Plans;

/// <summary>Everything that a node must know of its networks, at one revision of the store. A value: changes make a new one.</summary>
public sealed record NodePlan
{
    public static readonly NodePlan Empty = new();

    /// <summary>The store's revision that this plan brings the node to.</summary>
    public ulong Revision { get; init; }

    /// <summary>The node that the plan is for; endpoints with this id are local.</summary>
    public string NodeId { get; init; } = "";

    public ushort DataPathPort { get; init; } = 4789;
    public ImmutableDictionary<string, NetworkPlan> Networks { get; init; } = ImmutableDictionary<string, NetworkPlan>.Empty;
}

/// <summary>One network's share of the plan; peers, endpoints and services by node, task and service id.</summary>
public sealed record NetworkPlan(PlanNetwork Network)
{
    public ImmutableDictionary<string, PlanPeer> Peers { get; init; } = ImmutableDictionary<string, PlanPeer>.Empty;
    public ImmutableDictionary<string, PlanEndpoint> Endpoints { get; init; } = ImmutableDictionary<string, PlanEndpoint>.Empty;
    public ImmutableDictionary<string, PlanService> Services { get; init; } = ImmutableDictionary<string, PlanService>.Empty;
}
