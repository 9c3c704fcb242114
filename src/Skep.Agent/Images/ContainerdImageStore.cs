using Microsoft.Extensions.Logging;
using Skep.Agent.Images.Archives;
using Skep.Agent.Images.Catalog;
using Skep.Agent.Images.Content;
using Skep.Agent.Images.Manifests;
using Skep.Agent.Images.Registry;
using Skep.Model.Errors;
using Skep.Model.Rules;
using Skep.Rpc;

namespace Skep.Agent.Images;

/// <summary>Images in containerd: blobs in its content store, layers as overlayfs snapshots, names in its images service.</summary>
public sealed class ContainerdImageStore : IImageStore, IDisposable
{
    private readonly RpcChannel _channel;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ImageCatalog _catalog;
    private readonly ImageAssembler _assembler = new();
    private readonly ImagePuller _puller;
    private readonly ImageImporter _importer;

    /// <param name="containerd">A channel to containerd whose calls carry the header <c>containerd-namespace</c>.</param>
    public ContainerdImageStore(RpcChannel containerd, RegistryOptions registries, TimeProvider clock, ILogger<ContainerdImageStore> logger)
    {
        _channel = containerd;
        _clock = clock;
        _logger = logger;
        _catalog = new ImageCatalog(containerd, clock, logger);
        _puller = new ImagePuller(containerd, _catalog, _assembler, registries, clock, logger);
        _importer = new ImageImporter(_assembler, clock);
    }

    public Task<IReadOnlyList<LocalImage>> ListAsync(CancellationToken cancellationToken) =>
        GuardAsync(async () => (await _catalog.ViewAsync(cancellationToken)).All);

    public Task<LocalImage?> FindAsync(string reference, CancellationToken cancellationToken) =>
        GuardAsync(async () => (await _catalog.ViewAsync(cancellationToken)).Find(reference));

    public Task<LocalImage> PullAsync(
        string reference, RegistryCredentials? credentials, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        GuardAsync(async () =>
        {
            var id = await _puller.PullAsync(ImageReference.Parse(reference), credentials, progress, cancellationToken);
            return await RequireAsync(id, cancellationToken);
        });

    public Task<IReadOnlyList<string>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        GuardAsync<IReadOnlyList<string>>(async () =>
        {
            await using var work = await ImageWork.BeginAsync(_channel, _clock, _logger, cancellationToken);
            var files = await ArchiveFiles.ReadAsync(archive, work.Blobs, cancellationToken);
            var loaded = new List<string>();
            foreach (var image in await ArchiveImages.ReadAsync(files, work.Blobs, cancellationToken))
            {
                var stored = await AssembleLoadedAsync(work, image, progress, cancellationToken);
                await _catalog.NameAsync(stored, [.. image.Names.Select(name => name.Canonical)], cancellationToken);
                loaded.AddRange(image.Names.Count == 0 ? [stored.Id] : image.Names.Select(name => name.Familiar));
                _logger.ImageLoaded(stored.Id, string.Join(", ", image.Names.Select(name => name.Familiar)));
            }
            return loaded;
        });

    public Task<LocalImage> ImportAsync(
        Stream rootFileSystem, string? reference, IReadOnlyList<string> changes, string? message, CancellationToken cancellationToken) =>
        GuardAsync(async () =>
        {
            var name = string.IsNullOrEmpty(reference) ? null : TagName(reference);
            await using var work = await ImageWork.BeginAsync(_channel, _clock, _logger, cancellationToken);
            var comment = string.IsNullOrEmpty(message) ? "Imported from -" : message;
            var image = await _importer.ImportAsync(work, rootFileSystem, changes, comment, cancellationToken);
            await _catalog.NameAsync(image, name is null ? [] : [name.Canonical], cancellationToken);
            _logger.ImageImported(image.Id, name?.Familiar ?? "<none>");
            return await RequireAsync(image.Id, cancellationToken);
        });

    public Task SaveAsync(IReadOnlyList<string> references, Stream destination, CancellationToken cancellationToken) =>
        GuardAsync(async () =>
        {
            var view = await _catalog.ViewAsync(cancellationToken);
            var chosen = SaveSelection.Choose(view, references);
            await using var work = await ImageWork.BeginAsync(_channel, _clock, _logger, cancellationToken);
            foreach (var blob in chosen.SelectMany(image => image.Image.Content.Layers!.Prepend(image.Image.Content.Config!)))
            {
                if (await work.Blobs.FindAsync(blob.Digest, cancellationToken) is null)
                {
                    throw new ClusterException(ErrorKind.Internal, $"the blob {blob.Digest} is missing from containerd");
                }
            }
            await ArchiveWriter.WriteAsync(chosen, work.Blobs, destination, cancellationToken);
            return true;
        });

    public Task TagAsync(string source, string target, CancellationToken cancellationToken) =>
        GuardAsync(async () =>
        {
            var name = TagName(target);
            var view = await _catalog.ViewAsync(cancellationToken);
            var image = view.Find(source) ?? throw ClusterException.NoSuchImage(source);
            await _catalog.NameAsync(view.Stored(image), [name.Canonical], cancellationToken);
            return true;
        });

    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(
        string reference, bool force, IReadOnlySet<string> inUse, CancellationToken cancellationToken) =>
        RemoveAsync(reference, force, [.. inUse.Select(id => new ImageUse(id, "", Running: true))], cancellationToken);

    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(
        string reference, bool force, IReadOnlyCollection<ImageUse> uses, CancellationToken cancellationToken) =>
        GuardAsync(async () =>
        {
            var view = await _catalog.ViewAsync(cancellationToken);
            var plan = ImageRemover.Plan(view, reference, force, uses);
            if (plan.KeepUnderId)
            {
                await _catalog.KeepAsync(view.Stored(view.Find(reference)!), cancellationToken);
            }
            await _catalog.RemoveAsync(plan.Names, collect: plan.DeletedId is not null, cancellationToken);
            if (plan.DeletedId is not null)
            {
                _logger.ImageRemoved(plan.DeletedId);
            }
            return plan.Removals;
        });

    public Task<DistributionInfo> InspectRemoteAsync(string reference, RegistryCredentials? credentials, CancellationToken cancellationToken) =>
        _puller.InspectAsync(ImageReference.Parse(reference), credentials, cancellationToken);

    public void Dispose()
    {
        _puller.Dispose();
        _catalog.Dispose();
    }

    private static ImageReference TagName(string text)
    {
        var name = ImageReference.Parse(text);
        return name.Digest is null ? name : throw ClusterException.Invalid("refusing to create a tag with a digest reference");
    }

    // containerd's refusals come to the user as sentences; away is Unavailable, so that what tries again does.
    private static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (RpcException e)
        {
            throw new ClusterException(
                e.Code == RpcStatusCode.Unavailable ? ErrorKind.Unavailable : ErrorKind.Internal, "containerd: " + e.Message, e);
        }
    }

    private Task<StoredImage> AssembleLoadedAsync(
        ImageWork work, ArchiveImage image, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        var layers = image.Manifest.Layers!;
        return TranslateAsync(_assembler.AssembleAsync(
            work,
            image.Manifest,
            image.Bytes,
            image.MediaType,
            _ => Task.CompletedTask,
            (i, done) => progress?.Report(new ImageProgress("Loading layer", Digests.Short(layers[i].Digest), done ? layers[i].Size : 0, layers[i].Size)),
            cancellationToken));

        static async Task<StoredImage> TranslateAsync(Task<StoredImage> assembling)
        {
            try
            {
                return await assembling;
            }
            catch (InvalidDataException e)
            {
                throw new ClusterException(ErrorKind.InvalidArgument, e.Message, e);
            }
        }
    }

    private async Task<LocalImage> RequireAsync(string id, CancellationToken cancellationToken) =>
        (await _catalog.ViewAsync(cancellationToken)).Find(id) ?? throw ClusterException.NoSuchImage(id);
}
