using System.Text.Json.Serialization;
using Skep.Model.Specs;

namespace Skep.Model.Plans;

/// <summary>A network that has a task on the node (the ingress network always has a place on every node).</summary>
public sealed record PlanNetwork(string Id, string Name, uint Vni, IReadOnlyList<IpamConfig> Subnets)
{
    public bool Ingress { get; init; }
    public bool Internal { get; init; }
    public bool Encrypted { get; init; }
    public bool EnableIPv6 { get; init; }

    /// <summary>Bytes; null = the underlay's MTU less VXLAN's 50 bytes, 70 over IPv6.</summary>
    public int? Mtu { get; init; }
}

/// <summary>A node that takes part in a network. Vtep is its data path address.</summary>
public sealed record PlanPeer(string NetworkId, string NodeId, string Vtep)
{
    public string Hostname { get; init; } = "";

    /// <summary>The address of that node's ingress_sbox, as a prefix; only on the ingress network.</summary>
    public string? IngressAddress { get; init; }

    /// <summary>Its IPv6 address there; null on an ingress network of IPv4 alone.</summary>
    public string? IngressAddress6 { get; init; }

    /// <summary>The address of that node's load balancer on this network, as a prefix; null unless its data plane is the classic one.</summary>
    public string? BalancerAddress { get; init; }

    /// <summary>Changes when the node's kernel has forgotten what it sent encrypted, as after a reboot; null = it cannot encrypt.</summary>
    public string? CipherGeneration { get; init; }
}

/// <summary>How far a task's endpoint takes part in balancing and names.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EndpointState>))]
public enum EndpointState
{
    /// <summary>It has its addresses and may send; nothing is balanced to it and its names are not answered.</summary>
    Starting,

    /// <summary>It takes new flows.</summary>
    Active,

    /// <summary>It keeps its flows and takes no new ones.</summary>
    Draining,
}

/// <summary>One task's place on one network. Addresses are prefixes (10.0.1.5/24); the MAC follows from the first.</summary>
public sealed record PlanEndpoint(string NetworkId, string TaskId, string NodeId, IReadOnlyList<string> Addresses)
{
    public string ServiceId { get; init; } = "";
    public EndpointState State { get; init; }

    /// <summary>The names of this one task: container name, aliases, short container id, host name.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];
}

/// <summary>A service as it is seen on one network. Vips are prefixes; empty = dnsrr.</summary>
public sealed record PlanService(string NetworkId, string ServiceId, string Name, IReadOnlyList<string> Vips)
{
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Published ports; only on the ingress network.</summary>
    public IReadOnlyList<PortConfig> Ports { get; init; } = [];

    /// <summary>Null = <see cref="PlanBalance.Default"/>.</summary>
    public PlanBalance? Balance { get; init; }

    /// <summary>Restrictions of the service's published ports, host-mode ones too; only on the ingress network; null = none.</summary>
    public IReadOnlyList<PlanPortAccess>? Access { get; init; }

    /// <summary>The services whose tasks serve this one's flows: itself, and its canaries.</summary>
    public IEnumerable<string> ServedBy() => (Balance?.Members ?? []).Select(m => m.ServiceId).Prepend(ServiceId);

    /// <summary>The weight of each task of a service among this one's backends; 0 = it is none.</summary>
    public int WeightOf(string serviceId) => serviceId == ServiceId
        ? (Balance ?? PlanBalance.Default).Weight
        : Balance?.Members?.FirstOrDefault(m => m.ServiceId == serviceId)?.Weight ?? 0;

    /// <summary>What restricts a published port; null = nothing.</summary>
    public PlanPortAccess? AccessTo(uint publishedPort) => PlanPortAccess.Narrowest(Access, publishedPort);
}
