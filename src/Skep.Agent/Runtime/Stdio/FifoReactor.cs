using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Skep.Agent.Runtime.Native;

namespace Skep.Agent.Runtime.Stdio;

/// <summary>
/// Reads every container's output on one thread with epoll(7): a thread per stream would cost the daemon two for each task.
/// Containers take turns, one buffer each, so a talkative one does not hold up the others.
/// </summary>
internal sealed class FifoReactor : IDisposable
{
    private const int Add = 1;
    private const int Delete = 2;
    private const uint In = 1;
    private const uint Out = 4;
    private const uint OneShot = 1u << 30;
    private const int BufferSize = 64 * 1024;
    private const int PipeSize = 256 * 1024;

    private readonly int _epoll = Posix.EpollCreate();
    private readonly SafeFileHandle _wake;
    private readonly ConcurrentDictionary<long, FifoSource> _sources = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource> _writers = new();
    private readonly ConcurrentQueue<Action> _orders = new();
    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly Thread _thread;
    private long _lastKey;
    private volatile bool _stopping;

    public FifoReactor()
    {
        _wake = new SafeFileHandle(Posix.EventDescriptor(), ownsHandle: true);
        _ = Posix.EpollControl(_epoll, Add, (int)_wake.DangerousGetHandle(), In, 0);
        _thread = new Thread(Run) { IsBackground = true, Name = "container output" };
        _thread.Start();
    }

    /// <summary>
    /// Begins to read a FIFO. The reading end is opened at once, before anybody writes; the shim holds both ends for as long as
    /// the container writes, so nothing breaks when this reader goes away, and the end shows exactly when the last writer has left.
    /// </summary>
    public FifoSource Read(string path, IFifoSink sink)
    {
        var file = Posix.Open(path, Posix.ReadOnly | Posix.NonBlock);
        Posix.EnlargePipe(file, PipeSize);
        var source = new FifoSource(this, Interlocked.Increment(ref _lastKey), file, sink);
        _sources[source.Key] = source;
        Watch(source);
        return source;
    }

    /// <summary>Completes when a non-blocking descriptor takes bytes again.</summary>
    public Task WaitWritableAsync(SafeFileHandle file)
    {
        var key = Interlocked.Increment(ref _lastKey);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _writers[key] = ready;
        var descriptor = (int)file.DangerousGetHandle();
        if (Posix.EpollControl(_epoll, Add, descriptor, Out | OneShot, key) == -Posix.Exists)
        {
            _ = Posix.EpollControl(_epoll, 3, descriptor, Out | OneShot, key);
        }

        return ready.Task;
    }

    public void Dispose()
    {
        _stopping = true;
        Wake();
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }

        foreach (var source in _sources.Values)
        {
            Finish(source);
        }

        new SafeFileHandle(_epoll, ownsHandle: true).Dispose();
        _wake.Dispose();
    }

    internal void Order(Action action)
    {
        _orders.Enqueue(action);
        Wake();
    }

    internal void Watch(FifoSource source) => _ = Posix.EpollControl(_epoll, Add, source.Descriptor, In, source.Key);

    /// <summary>Reads what is there until the FIFO is empty, its sink asks for a pause, or it ends. On the reactor's thread.</summary>
    internal void ReadAll(FifoSource source)
    {
        while (_sources.ContainsKey(source.Key) && ReadOnce(source))
        {
        }
    }

    private void Run()
    {
        var records = new byte[64 * Posix.EpollRecordSize];
        while (!_stopping)
        {
            var count = Posix.EpollWait(_epoll, records);
            for (var i = 0; i < count && !_stopping; i++)
            {
                var key = MemoryMarshal.Read<long>(records.AsSpan((i * Posix.EpollRecordSize) + Posix.EpollDataOffset));
                if (key == 0)
                {
                    _ = Posix.Read(_wake, _buffer.AsSpan(0, 8));
                }
                else if (_sources.TryGetValue(key, out var source))
                {
                    _ = ReadOnce(source);
                }
                else if (_writers.TryRemove(key, out var writer))
                {
                    writer.TrySetResult();
                }
            }

            while (_orders.TryDequeue(out var order))
            {
                order();
            }
        }
    }

    /// <summary>False: nothing more can be read now.</summary>
    private bool ReadOnce(FifoSource source)
    {
        if (source.Paused)
        {
            return false;
        }

        var count = Posix.Read(source.File, _buffer);
        if (count == -Posix.TryAgain && !source.Ending)
        {
            return false;
        }

        if (count is 0 or < 0 && count != -Posix.Interrupted)
        {
            Finish(source);
            return false;
        }

        if (count > 0 && !source.Sink.Take(source, _buffer.AsSpan(0, count)))
        {
            source.Paused = true;
            _ = Posix.EpollControl(_epoll, Delete, source.Descriptor, 0, 0);
            return false;
        }

        return true;
    }

    private void Finish(FifoSource source)
    {
        if (_sources.TryRemove(source.Key, out _))
        {
            _ = Posix.EpollControl(_epoll, Delete, source.Descriptor, 0, 0);
            source.File.Dispose();
            source.SetEnded();
        }
    }

    private void Wake() => _ = Posix.Write(_wake, [1, 0, 0, 0, 0, 0, 0, 0]);
}

/// <summary>Takes what a FIFO gives, on the reactor's thread. False asks for a pause until <see cref="FifoSource.Resume"/>.</summary>
internal interface IFifoSink
{
    bool Take(FifoSource source, ReadOnlySpan<byte> bytes);
}
