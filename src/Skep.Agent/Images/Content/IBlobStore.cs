namespace Skep.Agent.Images.Content;

/// <summary>Blobs by digest, as containerd's content store keeps them.</summary>
internal interface IBlobStore
{
    /// <summary>Bytes; null when it is not here. A blob that is here stays for as long as the work goes on.</summary>
    Task<long?> FindAsync(string digest, CancellationToken cancellationToken);

    /// <summary>
    /// Begins or takes up a write. <paramref name="name"/> is what a later attempt takes it up by. Null when
    /// <paramref name="digest"/> is here already. With a null digest anything may be written.
    /// </summary>
    Task<IBlobWriter?> WriteAsync(string name, string? digest, long? size, CancellationToken cancellationToken);

    /// <summary>The whole blob, forward only, with its length known.</summary>
    Task<Stream> ReadAsync(string digest, CancellationToken cancellationToken);

    /// <summary>Labels keep other content from the garbage collector: <c>containerd.io/gc.ref.content.…</c> and <c>gc.ref.snapshot.…</c>.</summary>
    Task LabelAsync(string digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);
}

/// <summary>A write under way. Disposed without commit, what was written stays for a later attempt.</summary>
internal interface IBlobWriter : IAsyncDisposable
{
    /// <summary>Bytes written so far.</summary>
    long Offset { get; }

    Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Ends the write and returns the digest. Throws <see cref="InvalidDataException"/> when it is not the one that was expected.</summary>
    Task<string> CommitAsync(CancellationToken cancellationToken);

    /// <summary>Throws away what was written.</summary>
    Task AbortAsync(CancellationToken cancellationToken);
}
