using System.Text.Json;
using System.Text.Json.Serialization;

namespace Skep.Agent.Images.Manifests;

/// <summary>The manifest of one platform's image, or an index of several; which of the two its media type says.</summary>
internal sealed record ImageManifest
{
    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; }

    [JsonPropertyName("mediaType")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? MediaType { get; init; }

    [JsonPropertyName("config")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Descriptor? Config { get; init; }

    [JsonPropertyName("layers")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Descriptor>? Layers { get; init; }

    [JsonPropertyName("manifests")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Descriptor>? Manifests { get; init; }

    [JsonIgnore]
    public bool IsIndex => Manifests is not null;

    public static ImageManifest Read(ReadOnlyMemory<byte> json)
    {
        ImageManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(json.Span, ManifestJson.Default.ImageManifest);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("the manifest is not JSON: " + e.Message, e);
        }
        if (manifest is { SchemaVersion: 1 })
        {
            throw new InvalidDataException("the manifest has schema version 1, which is no longer read; push the image again with a newer tool");
        }
        if (manifest is not { SchemaVersion: 2 } || (manifest.Manifests is null && (manifest.Config is null || manifest.Layers is null)))
        {
            throw new InvalidDataException("the manifest has neither layers nor manifests");
        }
        return manifest;
    }

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.ImageManifest);
}

[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ArchiveEntry[]))]
internal sealed partial class ManifestJson : JsonSerializerContext;

/// <summary>One image in the manifest.json of a <c>docker save</c> archive; paths within the archive.</summary>
internal sealed record ArchiveEntry(string Config, IReadOnlyList<string>? RepoTags, IReadOnlyList<string> Layers);
