using System.Collections.Concurrent;
using Skep.Agent.Images.Catalog;
using Skep.Agent.Images.Content;
using Skep.Agent.Images.Manifests;

namespace Skep.Agent.Images;

/// <summary>
/// Makes an image of a manifest whose blobs are here or on their way: unpacks the layers from the lowest up and labels the
/// blobs, so that a record that names the manifest keeps everything below it.
/// </summary>
internal sealed class ImageAssembler
{
    // Two pieces of work that need the same layer unpack it once.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _unpacking = new(StringComparer.Ordinal);

    /// <param name="layerReady">Returns when layer i, lowest first, is in the blob store.</param>
    /// <param name="layerDone">Told before and after layer i is unpacked; it is not told of layers that were unpacked already.</param>
    public async Task<StoredImage> AssembleAsync(
        ImageWork work,
        ImageManifest manifest,
        ReadOnlyMemory<byte> manifestBytes,
        string mediaType,
        Func<int, Task> layerReady,
        Action<int, bool>? layerDone,
        CancellationToken cancellationToken)
    {
        var (configuration, diffIds) = StoredImage.ReadConfiguration(await work.Blobs.ReadDocumentAsync(manifest.Config!.Digest, cancellationToken));
        var layers = manifest.Layers!;
        if (layers.Count != diffIds.Count)
        {
            throw new InvalidDataException($"the image's manifest has {layers.Count} layers and its configuration {diffIds.Count}");
        }
        var chain = Digests.Chain(diffIds);
        long size = 0;
        for (var i = 0; i < layers.Count; i++)
        {
            await layerReady(i);
            layerDone?.Invoke(i, false);
            await UnpackOnceAsync(work, layers[i], diffIds[i], i == 0 ? "" : chain[i - 1], chain[i], cancellationToken);
            layerDone?.Invoke(i, true);
            size += await work.Snapshots.SizeAsync(chain[i], cancellationToken);
        }
        if (chain.Count > 0)
        {
            await work.Blobs.LabelAsync(
                manifest.Config.Digest,
                new Dictionary<string, string> { ["containerd.io/gc.ref.snapshot." + LayerSnapshots.Snapshotter] = chain[^1] },
                cancellationToken);
        }
        var digest = await work.Blobs.PutAsync(manifestBytes, cancellationToken);
        await work.Blobs.LabelAsync(digest, References(manifest), cancellationToken);
        return new StoredImage(new Descriptor(mediaType, digest, manifestBytes.Length), manifest, diffIds, chain, configuration, size);
    }

    private static Dictionary<string, string> References(ImageManifest manifest)
    {
        var labels = new Dictionary<string, string> { ["containerd.io/gc.ref.content.config"] = manifest.Config!.Digest };
        for (var i = 0; i < manifest.Layers!.Count; i++)
        {
            labels["containerd.io/gc.ref.content.l." + i] = manifest.Layers[i].Digest;
        }
        return labels;
    }

    private async Task UnpackOnceAsync(
        ImageWork work, Descriptor layer, string diffId, string parent, string chainId, CancellationToken cancellationToken)
    {
        var gate = _unpacking.GetOrAdd(chainId, static _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (!await work.Snapshots.ExistsAsync(chainId, cancellationToken))
            {
                await work.Snapshots.UnpackAsync(layer, diffId, parent, chainId, cancellationToken);
            }
        }
        finally
        {
            gate.Release();
        }
    }
}
