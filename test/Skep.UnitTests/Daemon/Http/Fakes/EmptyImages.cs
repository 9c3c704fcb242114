using Skep.Agent.Images;

namespace Skep.UnitTests.Daemon.Http.Fakes;

internal sealed class EmptyImages : IImageStore
{
    public Task<IReadOnlyList<LocalImage>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<LocalImage>>([]);

    public Task<LocalImage?> FindAsync(string reference, CancellationToken cancellationToken) => Task.FromResult<LocalImage?>(null);

    public Task<LocalImage> PullAsync(string reference, RegistryCredentials? credentials, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<string>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<LocalImage> ImportAsync(Stream rootFileSystem, string? reference, IReadOnlyList<string> changes, string? message, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SaveAsync(IReadOnlyList<string> references, Stream destination, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task TagAsync(string source, string target, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, IReadOnlySet<string> inUse, CancellationToken cancellationToken) => throw new NotSupportedException();
}
