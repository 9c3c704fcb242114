using System.Text.Json.Serialization;

namespace Skep.EngineApi.Containers;

/// <summary>One row of GET /containers/json. Created is in Unix seconds; names begin with a slash.</summary>
public sealed record ContainerSummary(string Id, IReadOnlyList<string> Names, string Image, string ImageID, string Command, long Created)
{
    public IReadOnlyList<PortShape> Ports { get; init; } = [];
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>created, running, paused, exited or dead.</summary>
    public required string State { get; init; }

    /// <summary>The column: Up 3 minutes (healthy).</summary>
    public required string Status { get; init; }

    public SummaryHostConfig HostConfig { get; init; } = new("default");
    public required SummaryNetworks NetworkSettings { get; init; }
    public IReadOnlyList<MountPoint> Mounts { get; init; } = [];
}

public sealed record SummaryHostConfig(string NetworkMode);

public sealed record SummaryNetworks(IReadOnlyDictionary<string, EndpointShape> Networks);

/// <summary>A port; PublicPort is absent while it is only exposed.</summary>
public sealed record PortShape(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? IP,
    uint PrivatePort,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] uint? PublicPort,
    string Type);

public sealed record MountPoint(string Type, string Source, string Destination, string Mode, bool RW, string Propagation)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Driver { get; init; }
}
