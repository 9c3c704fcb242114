using System.Text.Json.Serialization;
using Skep.Model.Specs;

namespace Skep.Model.Objects;

/// <summary>The one object that describes the swarm itself.</summary>
public sealed record SwarmCluster : SwarmObject
{
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.Cluster;
    public ClusterSpec Spec { get; init; } = new();

    /// <summary>PEM of the root certificate that every node trusts.</summary>
    public string RootCertificate { get; init; } = "";

    /// <summary>PKCS#8 of the root's key, wrapped with the cluster's key; opened only on managers.</summary>
    public byte[] WrappedRootKey { get; init; } = [];

    public string WorkerTokenSecret { get; init; } = "";
    public string ManagerTokenSecret { get; init; } = "";

    /// <summary>Prefixes from which networks get subnets; empty = 10.0.0.0/8.</summary>
    public IReadOnlyList<string> DefaultAddressPool { get; init; } = [];

    public int SubnetSize { get; init; } = 24;
    /// <summary>Null while no network is encrypted.</summary>
    public ClusterKeyring? Keyring { get; init; }

    public int DataPathPort { get; init; } = 4789;
}
