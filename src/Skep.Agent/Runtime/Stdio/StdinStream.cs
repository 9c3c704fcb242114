using Microsoft.Win32.SafeHandles;
using Skep.Agent.Runtime.Native;

namespace Skep.Agent.Runtime.Stdio;

/// <summary>The writing end of a command's stdin. Writing waits when the command does not read; closing is its end of file.</summary>
internal sealed class StdinStream(FifoReactor reactor, string path, Func<Task> closed) : Stream
{
    // Read-write, so that the FIFO has a writer before the shim opens it: a reader without a writer would see its end at once.
    private readonly SafeFileHandle _file = Posix.Open(path, Posix.ReadWrite | Posix.NonBlock);
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _closed;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Nobody reads any more: what is still being written is thrown away.</summary>
    public void Abort() => _aborted.TrySetResult();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0 && !_aborted.Task.IsCompleted)
        {
            ObjectDisposedException.ThrowIf(_closed != 0, this);
            var count = Posix.Write(_file, buffer.Span);
            if (count > 0)
            {
                buffer = buffer[count..];
            }
            else if (count == -Posix.TryAgain)
            {
                await Task.WhenAny(reactor.WaitWritableAsync(_file), _aborted.Task).WaitAsync(cancellationToken);
            }
            else if (count != -Posix.Interrupted)
            {
                throw new IOException($"Writing to a command's stdin failed with error {-count}.");
            }
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            _file.Dispose();
            if (!_aborted.Task.IsCompleted)
            {
                await closed();
            }
        }

        await base.DisposeAsync();
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _closed, 1) == 0)
        {
            _file.Dispose();
            _ = closed();
        }

        base.Dispose(disposing);
    }
}
