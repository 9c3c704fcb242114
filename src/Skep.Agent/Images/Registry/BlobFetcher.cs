using Microsoft.Extensions.Logging;
using Skep.Agent.Images.Content;
using Skep.Agent.Images.Manifests;
using Skep.Model.Errors;

namespace Skep.Agent.Images.Registry;

/// <summary>
/// Brings one blob from a registry into the blob store. A broken transfer goes on where it stopped, in this attempt, the next, or
/// after a restart of the daemon; nothing but one chunk is held in memory.
/// </summary>
internal sealed class BlobFetcher(IBlobStore blobs, RegistryOptions options, TimeProvider clock, ILogger logger)
{
    private const int ChunkSize = 256 * 1024;

    /// <summary>Returns false when the blob was here already. <paramref name="progress"/> gets the bytes written so far.</summary>
    public async Task<bool> FetchAsync(RegistryClient registry, Descriptor blob, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        if (await blobs.FindAsync(blob.Digest, cancellationToken) is not null)
        {
            return false;
        }
        var delay = options.RetryDelay;
        var before = -1L;
        for (var attempt = 1; ; attempt++)
        {
            var reached = 0L;
            try
            {
                await using var writer = await blobs.WriteAsync("fetch-" + blob.Digest, blob.Digest, blob.Size, cancellationToken);
                if (writer is null)
                {
                    return false;
                }
                try
                {
                    await TransferAsync(registry, blob, writer, progress, cancellationToken);
                }
                finally
                {
                    reached = writer.Offset;
                }
                await CommitAsync(writer, cancellationToken);
                return true;
            }
            catch (Exception e) when (IsTransient(e) && attempt < options.Attempts)
            {
                logger.TransferBroken(blob.Digest, reached, blob.Size, e.Message);
            }
            // A transfer that got further has earned its attempts anew: a slow line must not lose a large layer.
            if (reached > before && before >= 0)
            {
                (attempt, delay) = (1, options.RetryDelay);
            }
            before = reached;
            await Task.Delay(delay, clock, cancellationToken);
            delay *= 2;
        }
    }

    private async Task TransferAsync(
        RegistryClient registry, Descriptor blob, IBlobWriter writer, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        if (writer.Offset == blob.Size)
        {
            return;
        }
        await using var download = await registry.BlobAsync(blob.Digest, writer.Offset, cancellationToken);
        var skip = writer.Offset - download.Offset;
        if (skip < 0)
        {
            throw new InvalidDataException($"the registry sends {blob.Digest} from byte {download.Offset}; byte {writer.Offset} was asked for");
        }
        var chunk = new byte[ChunkSize];
        int read;
        while ((read = await ReadAsync(download.Body, chunk, cancellationToken)) > 0)
        {
            var fresh = (int)Math.Max(0, read - skip);
            skip -= read - fresh;
            if (writer.Offset + fresh > blob.Size)
            {
                await writer.AbortAsync(cancellationToken);
                throw new InvalidDataException($"the registry sends more for {blob.Digest} than the {blob.Size} bytes that its manifest tells");
            }
            if (fresh > 0)
            {
                await writer.WriteAsync(chunk.AsMemory(read - fresh, fresh), cancellationToken);
                progress?.Report(writer.Offset);
            }
        }
        if (writer.Offset < blob.Size)
        {
            throw new IOException($"the transfer ended after {writer.Offset} of {blob.Size} bytes");
        }
    }

    private async Task<int> ReadAsync(Stream body, byte[] chunk, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(options.IdleTimeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        try
        {
            // Full chunks: each costs containerd one write.
            return await body.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"nothing came for {options.IdleTimeout.TotalSeconds} s");
        }
    }

    // What does not match its digest is of no use to a later attempt either.
    private static async Task CommitAsync(IBlobWriter writer, CancellationToken cancellationToken)
    {
        try
        {
            await writer.CommitAsync(cancellationToken);
        }
        catch (InvalidDataException)
        {
            await writer.AbortAsync(cancellationToken);
            throw;
        }
    }

    private static bool IsTransient(Exception e) => e switch
    {
        RegistryException refusal => refusal.Transient,
        ClusterException refusal => refusal.Kind == ErrorKind.Unavailable,
        InvalidDataException => false,
        IOException or HttpRequestException => true,
        _ => false,
    };
}
