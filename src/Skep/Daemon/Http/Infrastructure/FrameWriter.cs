using System.Buffers.Binary;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>
/// Several streams in one: a head of eight bytes (stream, three zeros, length as a big-endian uint32), then the payload. Each frame
/// leaves at once. Safe for several writers. With <paramref name="framed"/> false the payload goes out bare, as for a TTY.
/// </summary>
public sealed class FrameWriter(Stream output, bool framed) : IDisposable
{
    public const string Multiplexed = "application/vnd.docker.multiplexed-stream";
    public const string Raw = "application/vnd.docker.raw-stream";

    public const byte Stdout = 1;
    public const byte Stderr = 2;

    /// <summary>The client ends with this text as an error.</summary>
    public const byte SystemError = 3;

    private const int HeadLength = 8;
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>What the answer's content type is: before API 1.42 every stream was called raw.</summary>
    public static string ContentTypeFor(ApiVersion version, bool framed) => framed && version >= new ApiVersion(1, 42) ? Multiplexed : Raw;

    public async Task WriteAsync(byte stream, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (payload.Length == 0)
        {
            return;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (framed)
            {
                var head = new byte[HeadLength];
                head[0] = stream;
                BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), (uint)payload.Length);
                await output.WriteAsync(head, cancellationToken);
            }

            await output.WriteAsync(payload, cancellationToken);
            await output.FlushAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Copies a stream to its end, piece by piece as it comes.</summary>
    public async Task CopyAsync(byte stream, Stream source, CancellationToken cancellationToken)
    {
        var buffer = new byte[32 * 1024];
        int length;
        while ((length = await source.ReadAsync(buffer, cancellationToken)) > 0)
        {
            await WriteAsync(stream, buffer.AsMemory(0, length), cancellationToken);
        }
    }

    public void Dispose() => _turn.Dispose();
}
