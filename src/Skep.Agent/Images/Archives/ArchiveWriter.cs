using System.Formats.Tar;
using System.Text.Json;
using Skep.Agent.Images.Catalog;
using Skep.Agent.Images.Content;
using Skep.Agent.Images.Manifests;
using Skep.Model.Rules;

namespace Skep.Agent.Images.Archives;

/// <summary>
/// Writes images as <c>docker save</c> does since Docker 25: an OCI layout, with the manifest.json that older tools read beside
/// it. Layers go out as they are stored.
/// </summary>
internal static class ArchiveWriter
{
    public static async Task WriteAsync(
        IReadOnlyList<(StoredImage Image, IReadOnlyList<ImageReference> Tags)> images, IBlobStore blobs, Stream destination, CancellationToken cancellationToken)
    {
        await using var tar = new TarWriter(destination, TarEntryFormat.Pax, leaveOpen: true);
        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach (var digest in images.SelectMany(image => BlobsOf(image.Image)))
        {
            if (written.Add(digest))
            {
                await using var content = await blobs.ReadAsync(digest, cancellationToken);
                await AddAsync(tar, PathOf(digest), content, cancellationToken);
            }
        }
        await AddAsync(tar, "index.json", Index(images).Write(), cancellationToken);
        var entries = images.Select(image => new ArchiveEntry(
            PathOf(image.Image.Id),
            image.Tags.Count == 0 ? null : [.. image.Tags.Select(tag => tag.Familiar)],
            [.. image.Image.Content.Layers!.Select(layer => PathOf(layer.Digest))])).ToArray();
        await AddAsync(tar, "manifest.json", JsonSerializer.SerializeToUtf8Bytes(entries, ManifestJson.Default.ArchiveEntryArray), cancellationToken);
        await AddAsync(tar, "oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray(), cancellationToken);
    }

    private static ImageManifest Index(IReadOnlyList<(StoredImage Image, IReadOnlyList<ImageReference> Tags)> images)
    {
        var entries = new List<Descriptor>();
        foreach (var (image, tags) in images)
        {
            var bare = new Descriptor(image.Manifest.MediaType, image.Manifest.Digest, image.Manifest.Size);
            entries.AddRange(tags.Count == 0 ? [bare] : tags.Select(tag => bare with
            {
                Annotations = new Dictionary<string, string>
                {
                    ["io.containerd.image.name"] = tag.Canonical,
                    ["org.opencontainers.image.ref.name"] = tag.Tag ?? "",
                },
            }));
        }
        return new ImageManifest { SchemaVersion = 2, MediaType = MediaTypes.OciIndex, Manifests = entries };
    }

    private static IEnumerable<string> BlobsOf(StoredImage image) =>
        image.Content.Layers!.Select(layer => layer.Digest).Append(image.Id).Append(image.Manifest.Digest);

    private static async Task AddAsync(TarWriter tar, string path, byte[] bytes, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(bytes);
        await AddAsync(tar, path, content, cancellationToken);
    }

    private static async Task AddAsync(TarWriter tar, string path, Stream content, CancellationToken cancellationToken)
    {
        var entry = new PaxTarEntry(TarEntryType.RegularFile, path)
        {
            // The same images give the same archive.
            ModificationTime = DateTimeOffset.UnixEpoch,
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            DataStream = content,
        };
        await tar.WriteEntryAsync(entry, cancellationToken);
    }

    private static string PathOf(string digest) => "blobs/" + digest.Replace(':', '/');
}
