using System.Text.Json.Serialization;
using Skep.Model.Specs;

namespace Skep.Model.Objects;

public sealed record SwarmNetwork : SwarmObject
{
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.Network;

    [JsonIgnore]
    public override string? UniqueName => Spec.Name;
    public NetworkSpec Spec { get; init; } = new();

    /// <summary>The VXLAN network identifier (24 bits); 0 until allocated.</summary>
    public uint Vni { get; init; }

    /// <summary>The subnets in use, each with its gateway; empty until allocated.</summary>
    public IReadOnlyList<IpamConfig> Subnets { get; init; } = [];

    /// <summary>Why nothing could be allocated; null when all is well.</summary>
    public string? AllocationError { get; init; }
}
