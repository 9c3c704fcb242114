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
}

public sealed record NodeDescription
{
    public string Hostname { get; init; } = "";
    public Platform Platform { get; init; } = new();
    public ResourceAmounts Resources { get; init; } = new();
    public EngineDescription Engine { get; init; } = new();
    public TlsInfo? TLSInfo { get; init; }
}

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
