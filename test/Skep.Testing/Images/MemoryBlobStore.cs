using System.Security.Cryptography;
using Skep.Agent.Images.Content;

namespace Skep.Testing.Images;

/// <summary>Blobs in memory. As containerd's store it keeps what an interrupted write has brought, by the write's name, and refuses what does not match its digest.</summary>
internal sealed class MemoryBlobStore : IBlobStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, byte[]> _blobs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MemoryStream> _partial = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, byte[]> Blobs => _blobs;

    public Task<long?> FindAsync(string digest, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(_blobs.TryGetValue(digest, out var blob) ? blob.Length : (long?)null);
        }
    }

    public Task<IBlobWriter?> WriteAsync(string name, string? digest, long? size, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (digest is not null && _blobs.ContainsKey(digest))
            {
                return Task.FromResult<IBlobWriter?>(null);
            }
            if (!_partial.TryGetValue(name, out var content))
            {
                _partial[name] = content = new MemoryStream();
            }
            return Task.FromResult<IBlobWriter?>(new Writer(this, name, digest, content));
        }
    }

    public Task<Stream> ReadAsync(string digest, CancellationToken cancellationToken) => Task.FromResult<Stream>(new MemoryStream(_blobs[digest]));

    public Task LabelAsync(string digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) => Task.CompletedTask;

    private sealed class Writer(MemoryBlobStore store, string name, string? expected, MemoryStream content) : IBlobWriter
    {
        public long Offset => content.Length;

        public Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            content.Write(data.Span);
            return Task.CompletedTask;
        }

        public Task<string> CommitAsync(CancellationToken cancellationToken)
        {
            var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content.ToArray()));
            if (expected is not null && expected != digest)
            {
                throw new InvalidDataException($"{digest} is not {expected}");
            }
            lock (store._gate)
            {
                store._blobs[digest] = content.ToArray();
                store._partial.Remove(name);
            }
            return Task.FromResult(digest);
        }

        public Task AbortAsync(CancellationToken cancellationToken)
        {
            lock (store._gate)
            {
                store._partial.Remove(name);
            }
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
