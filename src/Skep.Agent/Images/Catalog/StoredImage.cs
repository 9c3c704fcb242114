using System.Text.Json;
using Skep.Agent.Images.Manifests;
using Skep.Model.Rules;

namespace Skep.Agent.Images.Catalog;

/// <summary>An image as it lies in containerd: its manifest, and what follows from it.</summary>
/// <param name="Chain">Names of its snapshots, lowest first.</param>
/// <param name="Size">Bytes of the unpacked layers.</param>
internal sealed record StoredImage(
    Descriptor Manifest,
    ImageManifest Content,
    IReadOnlyList<string> DiffIds,
    IReadOnlyList<string> Chain,
    JsonElement Configuration,
    long Size)
{
    public string Id => Content.Config!.Digest;

    /// <summary>Layers' digests from a configuration; InvalidDataException when it is no image's.</summary>
    public static (JsonElement Configuration, IReadOnlyList<string> DiffIds) ReadConfiguration(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement.Clone();
            var diffIds = new List<string>();
            if (root.TryGetProperty("rootfs", out var rootFs) && rootFs.TryGetProperty("diff_ids", out var list) && list.ValueKind == JsonValueKind.Array)
            {
                diffIds.AddRange(list.EnumerateArray().Select(item => item.GetString() ?? ""));
            }
            return (root, diffIds);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException("the image's configuration cannot be read: " + e.Message, e);
        }
    }
}

/// <summary>A record in containerd's images service. Name is a canonical reference, or an id when the image has no other name.</summary>
internal sealed record StoredName(string Name, string ManifestDigest, DateTimeOffset UpdatedAt)
{
    /// <summary>Null for a name that is an id: an image that has no other.</summary>
    public ImageReference? Reference { get; } = !ImageReference.IsDigest(Name) && ImageReference.TryParse(Name, out var parsed) ? parsed : null;
}
