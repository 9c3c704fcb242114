using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Skep.Agent.Images.Archives;
using Skep.Agent.Images.Catalog;
using Skep.Agent.Images.Content;
using Skep.Agent.Images.Manifests;
using Skep.Model.Errors;

namespace Skep.Agent.Images;

/// <summary>Makes an image of one layer from a root file system.</summary>
internal sealed class ImageImporter(ImageAssembler assembler, TimeProvider clock)
{
    public async Task<StoredImage> ImportAsync(
        ImageWork work, Stream rootFileSystem, IReadOnlyList<string> changes, string message, CancellationToken cancellationToken)
    {
        // The changes are read first: a mistake there must not cost the whole transfer.
        var config = ImageChanges.Apply(changes);
        try
        {
            // Stored without compression: the digest of the layer is then known without a second pass, and unpacking is faster.
            await using var plain = await ArchiveCompression.OpenAsync(rootFileSystem, cancellationToken);
            var (diffId, size) = await work.Blobs.PutAsync(plain, cancellationToken);
            var configuration = Encoding.UTF8.GetBytes(Configuration(config, diffId, message).ToJsonString());
            var manifest = new ImageManifest
            {
                SchemaVersion = 2,
                MediaType = MediaTypes.OciManifest,
                Config = new Descriptor(MediaTypes.OciConfig, await work.Blobs.PutAsync(configuration, cancellationToken), configuration.Length),
                Layers = [new Descriptor(MediaTypes.OciLayer, diffId, size)],
            };
            return await assembler.AssembleAsync(
                work, manifest, manifest.Write(), MediaTypes.OciManifest, _ => Task.CompletedTask, null, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new ClusterException(ErrorKind.InvalidArgument, "the root file system cannot be read: " + e.Message, e);
        }
    }

    private JsonObject Configuration(JsonObject config, string diffId, string message)
    {
        var now = clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        var root = new JsonObject
        {
            ["architecture"] = PlatformChoice.Host.Architecture,
            ["os"] = PlatformChoice.Host.Os,
            ["created"] = now,
            ["comment"] = message,
            ["config"] = config,
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(diffId) },
            ["history"] = new JsonArray(new JsonObject { ["created"] = now, ["comment"] = message }),
        };
        if (PlatformChoice.Host.Variant is { } variant)
        {
            root["variant"] = variant;
        }
        return root;
    }
}
