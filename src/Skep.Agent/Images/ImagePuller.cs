using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Skep.Agent.Images.Catalog;
using Skep.Agent.Images.Content;
using Skep.Agent.Images.Manifests;
using Skep.Agent.Images.Registry;
using Skep.Model.Errors;
using Skep.Model.Rules;
using Skep.Rpc;

namespace Skep.Agent.Images;

/// <summary>Brings images from registries.</summary>
internal sealed class ImagePuller(
    RpcChannel channel, ImageCatalog catalog, ImageAssembler assembler, RegistryOptions options, TimeProvider clock, ILogger logger) : IDisposable
{
    private const int LongestConfiguration = 8 * 1024 * 1024;
    private static readonly TimeSpan s_progressPeriod = TimeSpan.FromMilliseconds(100);
    private readonly RegistryEndpoints _endpoints = new(options);
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _fetching = new(StringComparer.Ordinal);

    public async Task<string> PullAsync(
        ImageReference reference, RegistryCredentials? credentials, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        if (reference is { Domain: ImageReference.DefaultDomain, Path: "library/scratch" })
        {
            throw new ClusterException(ErrorKind.Forbidden, "'scratch' is a reserved name");
        }
        try
        {
            using var registry = await OpenAsync(reference, credentials, cancellationToken);
            progress?.Report(new ImageProgress($"Pulling from {reference.Path}", reference.Digest ?? reference.Tag));
            var resolved = await registry.ResolveAsync(reference.Digest ?? reference.Tag!, cancellationToken);
            var digestName = $"{reference.Repository}@{resolved.Digest}";
            string[] names = reference.Digest is null ? [reference.Canonical, digestName] : [digestName];
            var view = await catalog.ViewAsync(cancellationToken);
            var image = view.Find(digestName) is { } local ? view.Stored(local) : null;
            var fresh = image is null;
            await using var work = await ImageWork.BeginAsync(channel, clock, logger, cancellationToken);
            image ??= await FetchAsync(work, registry, reference, resolved.Digest, progress, cancellationToken);
            await catalog.NameAsync(image, names, cancellationToken);
            progress?.Report(new ImageProgress("Digest: " + resolved.Digest));
            progress?.Report(new ImageProgress(
                fresh ? $"Status: Downloaded newer image for {reference.Familiar}" : $"Status: Image is up to date for {reference.Familiar}"));
            logger.ImagePulled(reference.Familiar, image.Id, image.Chain.Count);
            return image.Id;
        }
        catch (RegistryException e)
        {
            throw e.For(reference);
        }
        catch (InvalidDataException e)
        {
            throw new ClusterException(ErrorKind.Internal, e.Message, e);
        }
    }

    public async Task<DistributionInfo> InspectAsync(ImageReference reference, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        try
        {
            using var registry = await OpenAsync(reference, credentials, cancellationToken);
            var fetched = await registry.ManifestAsync(reference.Digest ?? reference.Tag!, cancellationToken);
            if (fetched.Manifest.Manifests is { } manifests)
            {
                // Attestations stand in an index beside the images, for a platform that does not exist.
                return new DistributionInfo(
                    fetched.Descriptor, [.. manifests.Select(item => item.Platform).OfType<ImagePlatform>().Where(platform => platform.Os != "unknown")]);
            }
            await using var download = await registry.BlobAsync(fetched.Manifest.Config!.Digest, 0, cancellationToken);
            var bytes = await BoundedBody.ReadAsync(download.Body, LongestConfiguration, cancellationToken);
            return new DistributionInfo(fetched.Descriptor, [PlatformOf(StoredImage.ReadConfiguration(bytes).Configuration)]);
        }
        catch (RegistryException e)
        {
            throw e.For(reference);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new ClusterException(ErrorKind.Internal, e.Message, e);
        }
    }

    public void Dispose() => _endpoints.Dispose();

    private static ImagePlatform PlatformOf(System.Text.Json.JsonElement configuration)
    {
        string? Text(string name) => configuration.TryGetProperty(name, out var value) ? value.GetString() : null;
        return new ImagePlatform(Text("architecture") ?? "", Text("os") ?? "", Text("variant"), Text("os.version"));
    }

    private async Task<RegistryClient> OpenAsync(ImageReference reference, RegistryCredentials? credentials, CancellationToken cancellationToken) =>
        new(await _endpoints.FindAsync(reference.Domain, cancellationToken), reference, credentials, clock);

    private async Task<StoredImage> FetchAsync(
        ImageWork work, RegistryClient registry, ImageReference reference, string digest, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        var fetched = await registry.ManifestAsync(digest, cancellationToken);
        if (fetched.Manifest.Manifests is { } manifests)
        {
            var chosen = PlatformChoice.Choose(manifests, PlatformChoice.Host) ?? throw new ClusterException(
                ErrorKind.NotFound, $"no matching manifest for {PlatformChoice.Host} in the manifest list entries");
            fetched = await registry.ManifestAsync(chosen.Digest, cancellationToken);
        }
        if (fetched.Manifest is not { Config: { } config, Layers: { } layers })
        {
            throw new InvalidDataException($"the manifest of {reference.Familiar} is an index within an index");
        }
        var fetcher = new BlobFetcher(work.Blobs, options, clock, logger);
        await fetcher.FetchAsync(registry, config, null, cancellationToken);
        foreach (var layer in layers)
        {
            progress?.Report(new ImageProgress("Pulling fs layer", Digests.Short(layer.Digest)));
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var slots = new SemaphoreSlim(options.ParallelDownloads);
        var downloads = layers.Select(layer => FetchLayerAsync(fetcher, registry, layer, slots, progress, stop.Token)).ToList();
        try
        {
            return await assembler.AssembleAsync(
                work,
                fetched.Manifest,
                fetched.Bytes,
                fetched.Descriptor.MediaType,
                async i => await downloads[i],
                (i, done) => progress?.Report(new ImageProgress(done ? "Pull complete" : "Extracting", Digests.Short(layers[i].Digest))),
                cancellationToken);
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
        finally
        {
            // Nothing may be under way when the lease ends.
            await Task.WhenAll(downloads).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task FetchLayerAsync(
        BlobFetcher fetcher, RegistryClient registry, Descriptor layer, SemaphoreSlim slots, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        var id = Digests.Short(layer.Digest);
        await slots.WaitAsync(cancellationToken);
        try
        {
            var gate = _fetching.GetOrAdd(layer.Digest, static _ => new SemaphoreSlim(1, 1));
            await gate.WaitAsync(cancellationToken);
            try
            {
                var fetched = await fetcher.FetchAsync(registry, layer, progress is null ? null : new LayerProgress(clock, progress, id, layer.Size), cancellationToken);
                progress?.Report(new ImageProgress(fetched ? "Download complete" : "Already exists", id));
            }
            finally
            {
                gate.Release();
            }
        }
        finally
        {
            slots.Release();
        }
    }

    private sealed class LayerProgress(TimeProvider clock, IProgress<ImageProgress> progress, string id, long size) : IProgress<long>
    {
        private long _last;

        public void Report(long value)
        {
            var now = clock.GetTimestamp();
            if (_last == 0 || clock.GetElapsedTime(_last, now) >= s_progressPeriod)
            {
                _last = now;
                progress.Report(new ImageProgress("Downloading", id, value, size));
            }
        }
    }

}
