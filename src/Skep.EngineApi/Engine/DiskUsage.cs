using System.Text.Json.Serialization;
using Skep.EngineApi.Json;

namespace Skep.EngineApi.Engine;

/// <summary>GET /system/df. Sizes are bytes.</summary>
public sealed record DiskUsage
{
    public long LayersSize { get; init; }
    public IReadOnlyList<ImageUsage> Images { get; init; } = [];
    public IReadOnlyList<ContainerUsage> Containers { get; init; } = [];
    public IReadOnlyList<VolumeUsage> Volumes { get; init; } = [];
    public IReadOnlyList<string> BuildCache { get; init; } = [];
}

public sealed record ImageUsage(string Id, IReadOnlyList<string> RepoTags, IReadOnlyList<string> RepoDigests, long Size, long SharedSize, int Containers)
{
    /// <summary>Unix seconds.</summary>
    public long Created { get; init; }

    public string ParentId { get; init; } = "";
}

public sealed record ContainerUsage(string Id, IReadOnlyList<string> Names, string Image, string ImageID, string State, string Status)
{
    public string Command { get; init; } = "";

    /// <summary>Unix seconds.</summary>
    public long Created { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> Ports { get; init; } = [];
    public IReadOnlyList<string> Mounts { get; init; } = [];
}

public sealed record VolumeUsage(string Name, string Driver, string Mountpoint);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(DiskUsage))]
[JsonSerializable(typeof(InfoAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
public sealed partial class EngineJson : JsonSerializerContext;
