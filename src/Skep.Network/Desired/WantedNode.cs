using System.Collections.Immutable;

namespace Skep.Network.Desired;

/// <summary>All that the kernel of one node must hold, by namespace. A value, computed from plan and sandboxes alone.</summary>
public sealed record WantedNode(ImmutableArray<WantedParts> Spaces)
{
    public override string ToString() => string.Join("\n", Spaces);
}

/// <summary>
/// What one network namespace must hold. Everything is ordered, so that equal wishes print equally. The name is that of its file
/// in the folder of namespaces; the host's is empty.
/// </summary>
public sealed record WantedSpace(string Name, SpaceKind Kind)
{
    public const string Host = "";
    public const string IngressSandbox = "ingress_sbox";

    public ImmutableArray<WantedLink> Links { get; init; } = [];

    /// <summary>Ends of cables whose other end is in another namespace's <see cref="Links"/>.</summary>
    public ImmutableArray<WantedEnd> Ends { get; init; } = [];

    public ImmutableArray<WantedAddress> Addresses { get; init; } = [];
    public ImmutableArray<WantedRoute> Routes { get; init; } = [];
    public ImmutableArray<WantedRule> Rules { get; init; } = [];
    public ImmutableArray<WantedNeighbour> Neighbours { get; init; } = [];
    public ImmutableArray<WantedForwarding> Forwarding { get; init; } = [];
    public ImmutableArray<WantedSysctl> Sysctls { get; init; } = [];
    public ImmutableArray<WantedTable> Tables { get; init; } = [];

    /// <summary>The families that are balanced here, each in tables of its own beside <see cref="Tables"/>.</summary>
    public ImmutableArray<WantedBalancer> Balancers { get; init; } = [];

    public ImmutableArray<WantedBalance> Balances { get; init; } = [];

    /// <summary>Only of the classic data plane.</summary>
    public ImmutableArray<Classic.WantedIptablesChain> Iptables { get; init; } = [];

    /// <summary>Only of the classic data plane.</summary>
    public ImmutableArray<Classic.WantedVirtualServer> VirtualServers { get; init; } = [];

    /// <summary>Only the host's, while it carries an encrypted network.</summary>
    public WantedEsp? Esp { get; init; }

    public override string ToString() => WantedText.Of(this);
}

/// <summary>Whose namespace it is; says how much of it is ours to remove.</summary>
public enum SpaceKind
{
    /// <summary>The host's: only what carries our names is ours.</summary>
    Host,

    /// <summary>An overlay network's: everything in it is ours.</summary>
    Overlay,

    /// <summary>ingress_sbox: everything in it is ours.</summary>
    Ingress,

    /// <summary>The load balancer's of a network, in the classic data plane: everything in it is ours.</summary>
    Balancer,

    /// <summary>A container's: what we want is ensured; what its owner adds is its own.</summary>
    Container,
}
