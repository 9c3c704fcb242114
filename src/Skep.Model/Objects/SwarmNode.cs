using System.Text.Json.Serialization;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Model.Objects;

public sealed record SwarmNode : SwarmObject
{
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.Node;
    public NodeSpec Spec { get; init; } = new();
    public NodeDescription? Description { get; init; }
    public NodeStatus Status { get; init; } = new();
    public ManagerStatus? ManagerStatus { get; init; }

    /// <summary>The role that the node's certificate carries; follows <see cref="NodeSpec.Role"/>.</summary>
    public string Role { get; init; } = NodeSpec.Worker;

    /// <summary>The address from which VXLAN frames of this node come and to which they go.</summary>
    public string DataPathAddress { get; init; } = "";

    /// <summary>The address of this node's ingress_sbox on the ingress network, as a prefix (10.0.0.2/24); null until allocated.</summary>
    public string? IngressAddress { get; init; }

    /// <summary>Its IPv6 address there (fd…/64); null while the ingress network is of IPv4 alone.</summary>
    public string? IngressAddress6 { get; init; }

    /// <summary>
    /// The addresses of its load balancers (prefixes) by network id, on the networks that its tasks are on; only of a node with
    /// <see cref="NodeDescription.ClassicDataPlane"/>, whose balancing needs one to get the answers back. Null: none.
    /// </summary>
    public IReadOnlyDictionary<string, string>? BalancerAddresses { get; init; }
}

public sealed record NodeDescription
{
    public string Hostname { get; init; } = "";
    public Platform Platform { get; init; } = new();
    public ResourceAmounts Resources { get; init; } = new();
    public EngineDescription Engine { get; init; } = new();
    public TlsInfo? TLSInfo { get; init; }

    /// <summary>
    /// The ports that programs of the node's own hold, in order; the ephemeral range and this daemon are left out. Null before the
    /// node has looked.
    /// </summary>
    public IReadOnlyList<HostListener>? Listeners { get; init; }

    /// <summary>The node's part in the keys of what it sends on encrypted networks; null or empty: its kernel cannot encrypt.</summary>
    public string? CipherGeneration { get; init; }

    /// <summary>
    /// What the node reaches by itself, in order: the prefixes of its routes and the addresses of its name servers, without the swarm's
    /// own. A network with such addresses would hide them from its containers there. Null before the node has looked.
    /// </summary>
    public IReadOnlyList<HostPrefix>? Prefixes { get; init; }

    /// <summary>Null stands for nftables.</summary>
    public string? DataPlane { get; init; }

    /// <summary>The <see cref="DataPlane"/> of iptables and IPVS.</summary>
    public const string ClassicDataPlane = "classic";
}

/// <summary>Addresses that mean something to a host already.</summary>
/// <param name="Prefix">In CIDR form: 10.77.0.0/24.</param>
/// <param name="What">What they are there: "route 10.77.0.0/24 dev eth0", "name server 192.0.2.53".</param>
public sealed record HostPrefix(string Prefix, string What);

/// <summary>A listening TCP or a bound UDP socket of a host. Address is 0.0.0.0 or :: when it is all of them.</summary>
/// <param name="Protocol">tcp or udp.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Address">The local address.</param>
/// <param name="Program">The name of the process; empty when nobody could tell.</param>
public sealed record HostListener(string Protocol, ushort Port, string Address, string Program);

public sealed record EngineDescription
{
    public string EngineVersion { get; init; } = "";
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    public IReadOnlyList<PluginDescription>? Plugins { get; init; }
}

public sealed record PluginDescription
{
    public string Type { get; init; } = "";
    public string Name { get; init; } = "";
}

public sealed record TlsInfo
{
    /// <summary>PEM.</summary>
    public string TrustRoot { get; init; } = "";

    /// <summary>DER of the issuer's name.</summary>
    public byte[] CertIssuerSubject { get; init; } = [];

    /// <summary>DER of the issuer's SubjectPublicKeyInfo.</summary>
    public byte[] CertIssuerPublicKey { get; init; } = [];
}

public sealed record NodeStatus
{
    public NodeState State { get; init; }
    public string? Message { get; init; }

    /// <summary>The node's address as its managers see it.</summary>
    public string Addr { get; init; } = "";

    /// <summary>The newest store revision that the node has applied to its kernel.</summary>
    public ulong AppliedRevision { get; init; }
}

public sealed record ManagerStatus
{
    public bool Leader { get; init; }

    /// <summary>reachable, unreachable or unknown.</summary>
    public string Reachability { get; init; } = "unknown";

    public string Addr { get; init; } = "";
}
