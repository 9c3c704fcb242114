using Skep.Agent.Images.Manifests;
using Skep.Agent.Images.Registry;

namespace Skep.Agent.Images.Content;

internal static class BlobStoreExtensions
{
    private const int LongestDocument = 16 * 1024 * 1024;
    private const int ChunkSize = 512 * 1024;

    /// <summary>Writes a small document and returns its digest.</summary>
    public static async Task<string> PutAsync(this IBlobStore blobs, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var digest = Digests.Of(bytes.Span);
        await using var writer = await blobs.WriteAsync("put-" + digest, digest, bytes.Length, cancellationToken);
        if (writer is not null)
        {
            await writer.WriteAsync(bytes[(int)writer.Offset..], cancellationToken);
            await writer.CommitAsync(cancellationToken);
        }
        return digest;
    }

    /// <summary>Writes a stream to its end and returns digest and size.</summary>
    public static async Task<(string Digest, long Size)> PutAsync(this IBlobStore blobs, Stream content, CancellationToken cancellationToken)
    {
        await using var writer = await blobs.WriteAsync("stream-" + Guid.NewGuid().ToString("N"), null, null, cancellationToken)
            ?? throw new InvalidOperationException("A write of unknown content cannot be here already.");
        try
        {
            var chunk = new byte[ChunkSize];
            int read;
            while ((read = await content.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellationToken)) > 0)
            {
                await writer.WriteAsync(chunk.AsMemory(0, read), cancellationToken);
            }
            return (await writer.CommitAsync(cancellationToken), writer.Offset);
        }
        catch
        {
            await writer.AbortAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>A small document, whole.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadDocumentAsync(this IBlobStore blobs, string digest, CancellationToken cancellationToken)
    {
        await using var stream = await blobs.ReadAsync(digest, cancellationToken);
        return await BoundedBody.ReadAsync(stream, LongestDocument, cancellationToken);
    }
}
