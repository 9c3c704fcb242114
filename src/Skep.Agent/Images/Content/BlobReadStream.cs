using Skep.Protocol.Containerd;

namespace Skep.Agent.Images.Content;

/// <summary>
/// A blob as a stream, forward only. It tells its length and position as a seekable stream would, since the tar writer needs
/// the size before the first byte and asks only such streams for it.
/// </summary>
internal sealed class BlobReadStream(Func<CancellationToken, IAsyncEnumerable<ReadContentResponse>> open, long length) : Stream
{
    private readonly CancellationTokenSource _ended = new();
    private IAsyncEnumerator<ReadContentResponse>? _parts;
    private ReadOnlyMemory<byte> _rest;
    private long _position;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException("A blob is read forward only.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _parts ??= open(_ended.Token).GetAsyncEnumerator(_ended.Token);
        while (_rest.IsEmpty)
        {
            await using var cancellation = cancellationToken.UnsafeRegister(static ended => ((CancellationTokenSource)ended!).Cancel(), _ended);
            if (!await _parts.MoveNextAsync())
            {
                return _position == length ? 0 : throw new EndOfStreamException($"the blob ended at {_position} of {length} bytes");
            }
            _rest = _parts.Current.Data.Memory;
        }
        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A blob is read asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A blob is read forward only.");

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override async ValueTask DisposeAsync()
    {
        if (!_ended.IsCancellationRequested)
        {
            await _ended.CancelAsync();
            if (_parts is not null)
            {
                await _parts.DisposeAsync();
            }
            _ended.Dispose();
        }
        await base.DisposeAsync();
    }
}
