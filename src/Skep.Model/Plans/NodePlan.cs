using System.Collections.Immutable;
using System.Text.Json.Serialization;

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

    /// <summary>Null while no manager has told it to this daemon; what the kernel holds then stays. Never written to disk.</summary>
    [JsonIgnore]
    public PlanKeyring? Keyring { get; init; }

    /// <summary>
    /// Where the tunnels of encrypted networks end. A port of their own: the kernel's policies go by ports, so that it refuses clear
    /// text by itself, whatever becomes of packet rules.
    /// </summary>
    [JsonIgnore]
    public ushort EncryptedPort => (ushort)(DataPathPort + 1);

    public ImmutableDictionary<string, NetworkPlan> Networks { get; init; } = ImmutableDictionary<string, NetworkPlan>.Empty;

    /// <summary>The services that publish ports, in the mesh or on their tasks' nodes; null while there is no ingress network.</summary>
    [JsonIgnore]
    public ImmutableDictionary<string, PlanService>? IngressServices => Networks.Values.FirstOrDefault(n => n.Network.Ingress)?.Services;

    /// <summary>Restrictions of a service's published ports; null = none.</summary>
    public IReadOnlyList<PlanPortAccess>? AccessOf(string serviceId) => IngressServices?.GetValueOrDefault(serviceId)?.Access;
}

/// <summary>One network's share of the plan; peers, endpoints and services by node, task and service id.</summary>
public sealed record NetworkPlan(PlanNetwork Network)
{
    /// <summary>Only of an encrypted network; the same for all of them.</summary>
    [JsonIgnore]
    public PlanKeyring? Keyring { get; init; }

    public ImmutableDictionary<string, PlanPeer> Peers { get; init; } = ImmutableDictionary<string, PlanPeer>.Empty;
    public ImmutableDictionary<string, PlanEndpoint> Endpoints { get; init; } = ImmutableDictionary<string, PlanEndpoint>.Empty;
    public ImmutableDictionary<string, PlanService> Services { get; init; } = ImmutableDictionary<string, PlanService>.Empty;
}
