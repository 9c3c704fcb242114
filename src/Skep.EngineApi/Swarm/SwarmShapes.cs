using System.Text.Json.Serialization;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.EngineApi.Swarm;

/// <summary>GET /swarm, and the Cluster of GET /info (there without JoinTokens).</summary>
public sealed record SwarmInspect(
    string ID,
    ObjectVersion Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    ClusterSpec Spec,
    TlsInfo TLSInfo,
    bool RootRotationInProgress,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<string>? DefaultAddrPool,
    int SubnetSize,
    int DataPathPort)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JoinTokens? JoinTokens { get; init; }
}

public sealed record JoinTokens(string Worker, string Manager);

/// <summary>POST /swarm/init. Addresses are host:port or an interface's name.</summary>
public sealed record SwarmInitRequest
{
    public string? ListenAddr { get; init; }
    public string? AdvertiseAddr { get; init; }
    public string? DataPathAddr { get; init; }
    public uint DataPathPort { get; init; }
    public bool ForceNewCluster { get; init; }
    public ClusterSpec? Spec { get; init; }
    public bool AutoLockManagers { get; init; }
    public string? Availability { get; init; }
    public IReadOnlyList<string>? DefaultAddrPool { get; init; }
    public int SubnetSize { get; init; }
}

/// <summary>POST /swarm/join.</summary>
public sealed record SwarmJoinRequest
{
    public string? ListenAddr { get; init; }
    public string? AdvertiseAddr { get; init; }
    public string? DataPathAddr { get; init; }
    public IReadOnlyList<string>? RemoteAddrs { get; init; }
    public string? JoinToken { get; init; }
    public string? Availability { get; init; }
}

/// <summary>GET /swarm/unlockkey; empty while autolock is off.</summary>
public sealed record UnlockKeyAnswer(string UnlockKey);
