using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Skep.Agent.Images.Content;
using Skep.Agent.Images.Manifests;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Images.Catalog;

/// <summary>
/// The names in containerd's images service, mirrored in memory: a task's start must not wait for a question to containerd. Skep
/// is the only writer in its namespace, so its own writes are all that changes.
/// </summary>
internal sealed class ImageCatalog(RpcChannel channel, TimeProvider clock, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile CatalogView? _view;

    public ValueTask<CatalogView> ViewAsync(CancellationToken cancellationToken) =>
        _view is { } view ? ValueTask.FromResult(view) : new ValueTask<CatalogView>(LoadAsync(cancellationToken));

    /// <summary>
    /// Gives an image names; with none it is kept under its id. An image that loses its last name by this is kept under its
    /// id as well, as Docker shows it: &lt;none&gt;.
    /// </summary>
    public async Task NameAsync(StoredImage image, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        await ViewAsync(cancellationToken);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var had = _view!.NamesOf(image.Id);
            if (names.Count == 0 && had.Count == 0)
            {
                await PutAsync(image, image.Id, cancellationToken);
            }
            foreach (var name in names)
            {
                await KeepPreviousAsync(name, image, cancellationToken);
                await PutAsync(image, name, cancellationToken);
            }
            if (names.Count > 0 && _view.Name(image.Id) is not null)
            {
                await DropAsync(image.Id, collect: false, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Keeps an image under its id, whatever other names it has.</summary>
    public async Task KeepAsync(StoredImage image, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await PutAsync(image, image.Id, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Takes names away. With <paramref name="collect"/> it returns after containerd has collected what nothing needs any more.</summary>
    public async Task RemoveAsync(IReadOnlyList<string> names, bool collect, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            for (var i = 0; i < names.Count; i++)
            {
                await DropAsync(names[i], collect && i == names.Count - 1, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task KeepPreviousAsync(string name, StoredImage next, CancellationToken cancellationToken)
    {
        if (_view!.Name(name) is { } before && _view.Images.FirstOrDefault(image => image.Manifest.Digest == before.ManifestDigest) is { } previous
            && previous.Id != next.Id && _view.NamesOf(previous.Id).Count == 1)
        {
            await PutAsync(previous, previous.Id, cancellationToken);
        }
    }

    private async Task PutAsync(StoredImage image, string name, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var record = new ImageRecord
        {
            Name = name,
            Target = new ContentDescriptor { MediaType = image.Manifest.MediaType, Digest = image.Manifest.Digest, Size = image.Manifest.Size },
        };
        try
        {
            await channel.UnaryAsync(ContainerdMethods.CreateImage, new CreateImageRequest { Image = record }, cancellationToken);
        }
        catch (RpcException e) when (e.Code == RpcStatusCode.AlreadyExists)
        {
            await channel.UnaryAsync(ContainerdMethods.UpdateImage, new UpdateImageRequest { Image = record }, cancellationToken);
        }
        _view = _view!.With(image, new StoredName(name, image.Manifest.Digest, now));
    }

    private async Task DropAsync(string name, bool collect, CancellationToken cancellationToken)
    {
        try
        {
            await channel.UnaryAsync(ContainerdMethods.DeleteImage, new DeleteImageRequest { Name = name, Sync = collect }, cancellationToken);
        }
        catch (RpcException e) when (e.Code == RpcStatusCode.NotFound)
        {
            // Already so.
        }
        _view = _view!.Without(name);
    }

    private async Task<CatalogView> LoadAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return _view ??= await ReadAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<CatalogView> ReadAsync(CancellationToken cancellationToken)
    {
        var answer = await channel.UnaryAsync(ContainerdMethods.ListImages, new ListImagesRequest(), cancellationToken);
        await using var work = await ImageWork.BeginAsync(channel, clock, logger, cancellationToken);
        var names = ImmutableDictionary.CreateBuilder<string, StoredName>(StringComparer.Ordinal);
        var images = ImmutableDictionary.CreateBuilder<string, StoredImage>(StringComparer.Ordinal);
        foreach (var record in answer.Images)
        {
            try
            {
                if (!images.ContainsKey(record.Target.Digest))
                {
                    images[record.Target.Digest] = await ReadImageAsync(work, record.Target, cancellationToken);
                }
                names[record.Name] = new StoredName(record.Name, record.Target.Digest, (record.UpdatedAt ?? new Timestamp()).ToDateTimeOffset());
            }
            catch (Exception e) when (e is InvalidDataException || e is RpcException { Code: RpcStatusCode.NotFound })
            {
                logger.RecordUnreadable(record.Name, e.Message);
            }
        }
        return new CatalogView(names.ToImmutable(), images.ToImmutable());
    }

    private static async Task<StoredImage> ReadImageAsync(ImageWork work, ContentDescriptor target, CancellationToken cancellationToken)
    {
        var manifest = ImageManifest.Read(await work.Blobs.ReadDocumentAsync(target.Digest, cancellationToken));
        if (manifest.IsIndex)
        {
            throw new InvalidDataException("it names an index, which Skep does not write");
        }
        var (configuration, diffIds) = StoredImage.ReadConfiguration(await work.Blobs.ReadDocumentAsync(manifest.Config!.Digest, cancellationToken));
        var chain = Digests.Chain(diffIds);
        long size = 0;
        foreach (var layer in chain)
        {
            size += await work.Snapshots.SizeAsync(layer, cancellationToken);
        }
        return new StoredImage(new Descriptor(target.MediaType, target.Digest, target.Size), manifest, diffIds, chain, configuration, size);
    }
}
