using Microsoft.Win32.SafeHandles;

namespace Skep.Agent.Runtime.Stdio;

/// <summary>One FIFO that is being read.</summary>
internal sealed class FifoSource(FifoReactor reactor, long key, SafeFileHandle file, IFifoSink sink)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Key { get; } = key;
    public SafeFileHandle File { get; } = file;
    public IFifoSink Sink { get; } = sink;

    /// <summary>Everything was read and the descriptor is closed.</summary>
    public Task Ended => _ended.Task;

    internal int Descriptor { get; } = (int)file.DangerousGetHandle();
    internal bool Paused { get; set; }
    internal bool Ending { get; private set; }

    /// <summary>No writer will come any more: read what is there, then close, whoever else has it open.</summary>
    public void End() => reactor.Order(() =>
    {
        Ending = true;
        reactor.ReadAll(this);
    });

    public void Resume() => reactor.Order(() =>
    {
        Paused = false;
        if (_ended.Task.IsCompleted)
        {
            return;
        }

        reactor.Watch(this);
        if (Ending)
        {
            reactor.ReadAll(this);
        }
    });

    internal void SetEnded() => _ended.TrySetResult();
}
