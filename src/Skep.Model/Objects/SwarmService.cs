using System.Text.Json.Serialization;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Model.Objects;

public sealed record SwarmService : SwarmObject
{
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.Service;

    [JsonIgnore]
    public override string? UniqueName => Spec.Name;
    public ServiceSpec Spec { get; init; } = new();
    public ServiceSpec? PreviousSpec { get; init; }

    /// <summary>Changes with every accepted update of the spec; tasks carry the one they were made from.</summary>
    public ulong SpecVersion { get; init; }

    public ulong? PreviousSpecVersion { get; init; }
    public ServiceEndpoint? Endpoint { get; init; }
    public UpdateStatus? UpdateStatus { get; init; }
}

/// <summary>What was allocated for a service.</summary>
public sealed record ServiceEndpoint
{
    public EndpointSpec Spec { get; init; } = new();
    public IReadOnlyList<PortConfig> Ports { get; init; } = [];
    public IReadOnlyList<VirtualIp> VirtualIPs { get; init; } = [];
}

/// <summary>Addr is a prefix with the subnet's length: 10.0.1.2/24.</summary>
public sealed record VirtualIp(string NetworkID, string Addr);

public sealed record UpdateStatus
{
    public UpdateState State { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public string Message { get; init; } = "";
}
