using System.Collections.Immutable;
using System.Net;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>Everything that the wanted state follows from: the plan, this node's sandboxes and what is peculiar to the node.</summary>
public sealed record NodeView(NodePlan Plan, NodeFacts Facts)
{
    /// <summary>By container id.</summary>
    public ImmutableSortedDictionary<string, LocalSandbox> Sandboxes { get; init; } =
        ImmutableSortedDictionary.Create<string, LocalSandbox>(StringComparer.Ordinal);
}

/// <summary>What the node itself is and chose.</summary>
public sealed record NodeFacts(IPAddress Vtep, IPNetwork GatewaySubnet)
{
    /// <summary>Bytes that a packet between nodes may have.</summary>
    public int UnderlayMtu { get; init; } = 1500;

    /// <summary>The number that each network's namespace has on this node, by network id.</summary>
    public ImmutableDictionary<string, int> SpaceNumbers { get; init; } = ImmutableDictionary<string, int>.Empty;

    public IPAddress GatewayAddress => Addressing.Nth(GatewaySubnet, 1);

    /// <summary>Where ingress_sbox sits on the gateway bridge.</summary>
    public IPAddress IngressGatewayAddress => Addressing.Nth(GatewaySubnet, 2);
}

/// <summary>A container's request with the choices that this node made for it.</summary>
public sealed record LocalSandbox(SandboxRequest Request)
{
    /// <summary>Its address on the gateway bridge; null when it has no way out.</summary>
    public string? GatewayAddress { get; init; }

    /// <summary>Host ports with numbers.</summary>
    public IReadOnlyList<Model.Specs.PortConfig> HostPorts { get; init; } = [];

    /// <summary>The number of its cable (veth1) in each network's namespace, by network id.</summary>
    public ImmutableDictionary<string, int> Cables { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>Twelve digits of the container's id: the file of its namespace.</summary>
    public string SpaceName => Model.Identity.ContainerId.Short(Request.ContainerId);
}
