using Skep.Agent.Images;
using Skep.Model.Errors;

namespace Skep.Testing.Agent;

/// <summary>An image store whose registry is a function of the test: it may wait, fail or give the image.</summary>
public sealed class FakeImages : IImageStore
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _here = [];
    private int _pulls;

    /// <summary>What a pull does before the image is here.</summary>
    public Func<string, CancellationToken, Task> Pulling { get; set; } = (_, _) => Task.CompletedTask;

    public int Pulls => Volatile.Read(ref _pulls);

    public void Add(string reference)
    {
        lock (_gate)
        {
            _here.Add(reference);
        }
    }

    public Task<LocalImage?> FindAsync(string reference, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(_here.Contains(reference) ? Image() : null);
        }
    }

    public async Task<LocalImage> PullAsync(string reference, RegistryCredentials? credentials, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _pulls);
        await Pulling(reference, cancellationToken);
        Add(reference);
        return Image();
    }

    public Task<IReadOnlyList<LocalImage>> ListAsync(CancellationToken cancellationToken) => throw Refusal();

    public Task<IReadOnlyList<string>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) => throw Refusal();

    public Task<LocalImage> ImportAsync(Stream rootFileSystem, string? reference, IReadOnlyList<string> changes, string? message, CancellationToken cancellationToken) => throw Refusal();

    public Task SaveAsync(IReadOnlyList<string> references, Stream destination, CancellationToken cancellationToken) => throw Refusal();

    public Task TagAsync(string source, string target, CancellationToken cancellationToken) => throw Refusal();

    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, IReadOnlySet<string> inUse, CancellationToken cancellationToken) => throw Refusal();

    private static LocalImage Image() => new("sha256:00", "sha256:00", "", default);

    private static ClusterException Refusal() => new(ErrorKind.NotImplemented, "this image store only pulls");
}
