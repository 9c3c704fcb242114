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

    /// <summary>Tasks of this node that are over, though the plan counts on them still; nothing new is sent to them.</summary>
    public ImmutableHashSet<string> Ended { get; init; } = [];

    /// <summary>Backends' addresses that this node has found dead; nothing new is sent to them while their service has others.</summary>
    public ImmutableHashSet<IPAddress> Ejected { get; init; } = [];

    /// <summary>Which ports of backends answered and which refused; balances and elements of their services follow from it.</summary>
    public BackendHealth Health { get; init; } = BackendHealth.Unknown;

    /// <summary>Published ports that programs of this host have.</summary>
    public ImmutableSortedSet<HeldPort> HeldPorts { get; init; } = [];
}

/// <summary>What the node itself is and chose.</summary>
public sealed record NodeFacts(IPAddress Vtep, IPNetwork GatewaySubnet)
{
    /// <summary>Bytes that this node's own link to the others carries.</summary>
    public int UnderlayMtu { get; init; } = 1500;

    /// <summary>Bytes that the way to a node carries, by node id, where that was found out.</summary>
    public ImmutableDictionary<string, int> PathMtus { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>Bytes that every way to these nodes carries.</summary>
    public int MtuTo(IEnumerable<string> nodeIds) => nodeIds.Select(id => PathMtus.GetValueOrDefault(id, UnderlayMtu)).Append(UnderlayMtu).Min();

    /// <summary>The number that each network's namespace has on this node, by network id.</summary>
    public ImmutableDictionary<string, int> SpaceNumbers { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>The data plane is that of iptables and IPVS.</summary>
    public bool Classic { get; init; }

    /// <summary>The firewall mark of each service that the classic data plane balances, by <c>network id/service id</c>.</summary>
    public ImmutableDictionary<string, uint> Marks { get; init; } = ImmutableDictionary<string, uint>.Empty;
    /// <summary>This kernel has IPv6. Without it a network is of IPv4 alone here, whatever it is elsewhere.</summary>
    public bool IPv6 { get; init; } = true;

    /// <summary>The gateway bridge's IPv6 subnet; null where the host has no IPv6 address that would lead anywhere.</summary>
    public IPNetwork? GatewaySubnet6 { get; init; }

    /// <summary>
    /// The host's links that learn routes from routers. A host that forwards stops listening to them unless it is told to go on.
    /// </summary>
    public ImmutableArray<string> Advertised { get; init; } = [];

    /// <summary>This node's own part in the keys of what it sends; new whenever its kernel has lost them. Empty: it encrypts nothing.</summary>
    public string CipherGeneration { get; init; } = "";

    public IPAddress GatewayAddress => Addressing.Nth(GatewaySubnet, 1);
    public IPAddress? GatewayAddress6 => Six(GatewayAddress);

    /// <summary>Where ingress_sbox sits on the gateway bridge.</summary>
    public IPAddress IngressGatewayAddress => Addressing.Nth(GatewaySubnet, 2);
    public IPAddress? IngressGatewayAddress6 => Six(IngressGatewayAddress);

    /// <summary>
    /// A container's IPv6 address on the gateway bridge, with the number that its IPv4 address has there. Only containers that IPv6
    /// concerns have one: with a place on a network of IPv6, or with ports on this host.
    /// </summary>
    public IPAddress? GatewayAddress6Of(LocalSandbox sandbox)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        var concerns = sandbox.HostPorts.Count > 0 || sandbox.Request.Attachments.Any(a => a.Addresses.Any(Addressing.IsSix));
        return concerns && sandbox.GatewayAddress is { } four ? Six(Addressing.AddressOf(four)) : null;
    }

    private IPAddress? Six(IPAddress four) =>
        GatewaySubnet6 is { } subnet ? Addressing.Nth(subnet, Addressing.NumberOf(four) - Addressing.NumberOf(GatewaySubnet.BaseAddress)) : null;
}

/// <summary>A container's request with the choices that this node made for it.</summary>
public sealed record LocalSandbox(SandboxRequest Request)
{
    /// <summary>Its address on the gateway bridge; null when it has no way out.</summary>
    public string? GatewayAddress { get; init; }

    /// <summary>Host ports with numbers.</summary>
    public IReadOnlyList<Model.Specs.PortConfig> HostPorts { get; init; } = [];

    /// <summary>
    /// Restrictions of its service's ports as the plan had them last. They hold until the container is gone, also when its service is
    /// gone from the plan before it.
    /// </summary>
    public IReadOnlyList<PlanPortAccess>? Access { get; init; }

    /// <summary>What restricts the host port with this place in <see cref="HostPorts"/>; null = nothing. No label names one that got its number here.</summary>
    public PlanPortAccess? AccessTo(int index) => Request.HostPorts.ElementAtOrDefault(index)?.PublishedPort is { } wished and > 0
        ? PlanPortAccess.Narrowest(Access, wished)
        : Access?.FirstOrDefault(a => a.IsGeneral);

    /// <summary>The number of its cable (veth1) in each network's namespace, by network id.</summary>
    public ImmutableDictionary<string, int> Cables { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>Twelve digits of the container's id: the file of its namespace.</summary>
    public string SpaceName => Model.Identity.ContainerId.Short(Request.ContainerId);
}
