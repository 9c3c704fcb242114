using System.Text.Json;
using System.Text.Json.Serialization;

namespace Skep.EngineApi.Images;

/// <summary>One line of GET /images/json. Created is in Unix seconds; -1 means not counted.</summary>
public sealed record ImageSummary
{
    public long Containers { get; init; } = -1;
    public long Created { get; init; }
    public string Id { get; init; } = "";
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    public string ParentId { get; init; } = "";
    public IReadOnlyList<string> RepoDigests { get; init; } = [];
    public IReadOnlyList<string> RepoTags { get; init; } = [];
    public long SharedSize { get; init; } = -1;
    public long Size { get; init; }
}

/// <summary>GET /images/{name}/json.</summary>
public sealed record ImageInspect
{
    public string Id { get; init; } = "";
    public IReadOnlyList<string> RepoTags { get; init; } = [];
    public IReadOnlyList<string> RepoDigests { get; init; } = [];
    public string Parent { get; init; } = "";
    public string Comment { get; init; } = "";
    public string? Created { get; init; }
    public string DockerVersion { get; init; } = "";
    public string Author { get; init; } = "";

    /// <summary>The configuration's own config object.</summary>
    public JsonElement? Config { get; init; }

    public string Architecture { get; init; } = "";

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Variant { get; init; }

    public string Os { get; init; } = "";
    public long Size { get; init; }
    public GraphDriverData GraphDriver { get; init; } = new("overlayfs", null);
    public RootFileSystem RootFS { get; init; } = new("layers", []);
    public ImageMetadata Metadata { get; init; } = new("0001-01-01T00:00:00Z");
}

public sealed record GraphDriverData(string Name, IReadOnlyDictionary<string, string>? Data);

public sealed record RootFileSystem(string Type, IReadOnlyList<string> Layers);

public sealed record ImageMetadata(string LastTagTime);

/// <summary>One step of GET /images/{name}/history, newest first.</summary>
public sealed record ImageHistoryStep
{
    public string Id { get; init; } = "<missing>";
    public long Created { get; init; }
    public string CreatedBy { get; init; } = "";
    public IReadOnlyList<string>? Tags { get; init; }
    public long Size { get; init; }
    public string Comment { get; init; } = "";
}

/// <summary>One effect of DELETE /images/{name}; exactly one is set.</summary>
public sealed record ImageDeletion
{
    public string? Untagged { get; init; }
    public string? Deleted { get; init; }
}

/// <summary>POST /images/prune. SpaceReclaimed is in bytes.</summary>
public sealed record ImagesPruned(IReadOnlyList<ImageDeletion>? ImagesDeleted, long SpaceReclaimed);

/// <summary>GET /distribution/{name}/json.</summary>
public sealed record DistributionInspect(DistributionDescriptor Descriptor, IReadOnlyList<DistributionPlatform> Platforms);

public sealed record DistributionDescriptor(
    [property: JsonPropertyName("mediaType")] string MediaType,
    [property: JsonPropertyName("digest")] string Digest,
    [property: JsonPropertyName("size")] long Size);

public sealed record DistributionPlatform(
    [property: JsonPropertyName("architecture")] string Architecture,
    [property: JsonPropertyName("os")] string Os)
{
    [JsonPropertyName("variant")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Variant { get; init; }
}

/// <summary>What X-Registry-Auth carries.</summary>
public sealed record RegistryAuth
{
    [JsonPropertyName("username")]
    public string? Username { get; init; }

    [JsonPropertyName("password")]
    public string? Password { get; init; }

    [JsonPropertyName("identitytoken")]
    public string? IdentityToken { get; init; }

    [JsonPropertyName("registrytoken")]
    public string? RegistryToken { get; init; }

    [JsonPropertyName("serveraddress")]
    public string? ServerAddress { get; init; }
}
