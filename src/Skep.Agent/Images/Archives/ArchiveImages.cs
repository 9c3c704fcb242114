using System.Text.Json;
using Skep.Agent.Images.Content;
using Skep.Agent.Images.Manifests;
using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.Agent.Images.Archives;

/// <summary>The images of an archive: those that <c>docker save</c>'s manifest.json names, or else those of an OCI layout's index.json.</summary>
internal static class ArchiveImages
{
    private const int DeepestIndex = 4;
    private const string ContainerdName = "io.containerd.image.name";
    private const string OciName = "org.opencontainers.image.ref.name";

    public static async Task<IReadOnlyList<ArchiveImage>> ReadAsync(ArchiveFiles files, IBlobStore blobs, CancellationToken cancellationToken)
    {
        try
        {
            if (files.Find("manifest.json") is not null)
            {
                return await DockerAsync(files, blobs, cancellationToken);
            }
            if (files.Find("index.json") is not null)
            {
                return await OciAsync(files, await files.ReadAsync("index.json", cancellationToken), blobs, [], 0, cancellationToken);
            }
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            throw new ClusterException(ErrorKind.InvalidArgument, "the archive's table of contents cannot be read: " + e.Message, e);
        }
        throw ClusterException.Invalid("the archive has neither manifest.json nor index.json; it is no image archive");
    }

    private static async Task<IReadOnlyList<ArchiveImage>> DockerAsync(ArchiveFiles files, IBlobStore blobs, CancellationToken cancellationToken)
    {
        var entries = JsonSerializer.Deserialize((await files.ReadAsync("manifest.json", cancellationToken)).Span, ManifestJson.Default.ArchiveEntryArray) ?? [];
        var images = new List<ArchiveImage>();
        foreach (var entry in entries)
        {
            if (entry.Config is null || entry.Layers is null)
            {
                throw new InvalidDataException("an image in manifest.json has no configuration or no layers");
            }
            var config = await files.ReadAsync(entry.Config, cancellationToken);
            var layers = new List<Descriptor>();
            foreach (var path in entry.Layers)
            {
                var (digest, size) = await files.StoreAsync(path, cancellationToken);
                layers.Add(new Descriptor(LayerType(files.Find(path)!), digest, size));
            }
            var manifest = new ImageManifest
            {
                SchemaVersion = 2,
                MediaType = MediaTypes.OciManifest,
                Config = new Descriptor(MediaTypes.OciConfig, await blobs.PutAsync(config, cancellationToken), config.Length),
                Layers = layers,
            };
            images.Add(new ArchiveImage(manifest, manifest.Write(), MediaTypes.OciManifest, [.. (entry.RepoTags ?? []).Select(ImageReference.Parse)]));
        }
        return images;
    }

    private static string LayerType(ArchiveFile file) => ArchiveCompression.Name(file.Magic) switch
    {
        "" => MediaTypes.OciLayer,
        "gzip" => MediaTypes.OciLayerGzip,
        "zstd" => MediaTypes.OciLayerZstd,
        var other => throw new InvalidDataException($"a layer is compressed with {other}"),
    };

    private static async Task<IReadOnlyList<ArchiveImage>> OciAsync(
        ArchiveFiles files,
        ReadOnlyMemory<byte> index,
        IBlobStore blobs,
        IReadOnlyList<ImageReference> outerNames,
        int depth,
        CancellationToken cancellationToken)
    {
        var manifests = ImageManifest.Read(index).Manifests ?? throw new InvalidDataException("index.json is no index");
        var images = new List<ArchiveImage>();
        // Within an image's own index the platform decides; at the top every entry is an image.
        var wanted = depth == 0 ? manifests : PlatformChoice.Choose(manifests, PlatformChoice.Host) is { } one ? [one] : manifests.Take(1).ToList();
        foreach (var entry in wanted)
        {
            var names = depth == 0 ? NamesOf(entry) : outerNames;
            var bytes = await files.ReadAsync(PathOf(entry.Digest), cancellationToken);
            if (Digests.Of(bytes.Span) != entry.Digest)
            {
                throw new InvalidDataException($"the blob {entry.Digest} holds something else");
            }
            var manifest = ImageManifest.Read(bytes);
            if (manifest.IsIndex)
            {
                if (depth == DeepestIndex)
                {
                    throw new InvalidDataException("its indexes are nested too deep");
                }
                images.AddRange(await OciAsync(files, bytes, blobs, names, depth + 1, cancellationToken));
                continue;
            }
            foreach (var blob in manifest.Layers!.Prepend(manifest.Config!))
            {
                var (digest, _) = await files.StoreAsync(PathOf(blob.Digest), cancellationToken);
                if (digest != blob.Digest)
                {
                    throw new InvalidDataException($"the blob {blob.Digest} holds something else");
                }
            }
            images.Add(new ArchiveImage(manifest, bytes, entry.MediaType, names));
        }
        return images;
    }

    private static IReadOnlyList<ImageReference> NamesOf(Descriptor entry)
    {
        // OCI's own annotation is often a tag alone, which names no image.
        var text = entry.Annotations?.GetValueOrDefault(ContainerdName)
            ?? (entry.Annotations?.GetValueOrDefault(OciName) is { } name && name.Contains(':', StringComparison.Ordinal) ? name : null);
        return text is null ? [] : [ImageReference.Parse(text)];
    }

    private static string PathOf(string digest) => "blobs/" + digest.Replace(':', '/');
}

internal sealed record ArchiveImage(ImageManifest Manifest, ReadOnlyMemory<byte> Bytes, string MediaType, IReadOnlyList<ImageReference> Names);
