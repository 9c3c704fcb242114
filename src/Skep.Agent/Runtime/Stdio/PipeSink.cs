using System.Buffers;
using System.IO.Pipelines;

namespace Skep.Agent.Runtime.Stdio;

/// <summary>Passes a FIFO on to whoever reads the pipe; a slow reader slows the command down, a reader that left does not.</summary>
internal sealed class PipeSink : IFifoSink
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 64 * 1024, useSynchronizationContext: false));
    private volatile bool _readerLeft;

    public Stream Stream => _pipe.Reader.AsStream();

    public bool Take(FifoSource source, ReadOnlySpan<byte> bytes)
    {
        if (_readerLeft)
        {
            return true;
        }

        _pipe.Writer.Write(bytes);
        var flush = _pipe.Writer.FlushAsync();
        if (flush.IsCompletedSuccessfully)
        {
            _readerLeft = flush.GetAwaiter().GetResult().IsCompleted;
            return true;
        }

        _ = ResumeAsync(source, flush.AsTask());
        return false;
    }

    /// <summary>Nobody will read.</summary>
    public void Discard() => _readerLeft = true;

    /// <summary>Ends the stream with some last bytes; false when nobody reads them.</summary>
    public bool Complete(ReadOnlySpan<byte> last)
    {
        if (!last.IsEmpty && !_readerLeft)
        {
            _pipe.Writer.Write(last);
        }

        _pipe.Writer.Complete();
        return !_readerLeft;
    }

    private async Task ResumeAsync(FifoSource source, Task<FlushResult> flush)
    {
        _readerLeft = (await flush).IsCompleted;
        source.Resume();
    }
}
