using System.Buffers;
using System.IO.Pipelines;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>The bare connection. A write is the socket's when it returns; a write to a client that is gone throws IOException.</summary>
internal sealed class HijackedStream(PipeReader input, Stream output) : Stream
{
    private CancellationTokenSource? _gone;

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Cancels <paramref name="gone"/> when the first write fails.</summary>
    public void OnWriteFailed(CancellationTokenSource gone) => _gone = gone;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await input.ReadAsync(cancellationToken);
        var available = read.Buffer;
        var length = (int)Math.Min(available.Length, buffer.Length);
        available.Slice(0, length).CopyTo(buffer.Span);
        input.AdvanceTo(available.GetPosition(length));
        return length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await output.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            _gone?.Cancel();
            throw;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
