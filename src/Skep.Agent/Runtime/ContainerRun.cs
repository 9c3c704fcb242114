using Skep.Agent.Runtime.Native;
using Skep.Agent.Runtime.Stdio;

namespace Skep.Agent.Runtime;

/// <summary>How a process ended.</summary>
internal readonly record struct ProcessExit(int Code, DateTimeOffset At);

/// <summary>One run of a container's first process: its streams, and the two ends (of the process, of what containerd keeps of it).</summary>
internal sealed class ContainerRun
{
    private readonly TaskCompletionSource<ProcessExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The process has ended.</summary>
    public Task<ProcessExit> Exit => _exit.Task;

    /// <summary>The container's state says so, and its output is complete.</summary>
    public Task Ended { get; set; } = Task.CompletedTask;

    /// <summary>containerd has let go of the task; it can be started or removed.</summary>
    public Task Cleaned { get; set; } = Task.CompletedTask;

    public string Stdin { get; private set; } = "";
    public string Stdout { get; private set; } = "";
    public string Stderr { get; private set; } = "";
    public IReadOnlyList<FifoSource> Sources { get; private set; } = [];
    public CancellationTokenSource HealthStop { get; } = new();
    private Microsoft.Win32.SafeHandles.SafeFileHandle? _stdin;

    public void SetExit(ProcessExit exit) => _exit.TrySetResult(exit);

    /// <summary>Makes the FIFOs, or finds those of the run before the daemon was away, and begins to read them into the log.</summary>
    public void OpenStreams(RuntimeParts parts, Container container)
    {
        var folder = Path.Combine(parts.FifoRoot, container.Id);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Stdout = Fifo(folder, "stdout");
        var sources = new List<FifoSource> { parts.Reactor.Read(Stdout, new LogSink(container.Output, Logs.LogSource.Stdout)) };
        if (!container.Recipe.Tty)
        {
            Stderr = Fifo(folder, "stderr");
            sources.Add(parts.Reactor.Read(Stderr, new LogSink(container.Output, Logs.LogSource.Stderr)));
        }

        Sources = sources;
        if (container.Recipe.OpenStdin)
        {
            // Held open, so that the container's stdin has no end.
            Stdin = Fifo(folder, "stdin");
            _stdin = Posix.Open(Stdin, Posix.ReadWrite | Posix.NonBlock);
        }
    }

    /// <summary>Reads what is left and closes.</summary>
    public async Task CloseStreamsAsync()
    {
        _stdin?.Dispose();
        foreach (var source in Sources)
        {
            source.End();
        }

        await StreamsEndedAsync();
    }

    public Task StreamsEndedAsync() => Task.WhenAll(Sources.Select(s => s.Ended));

    private static string Fifo(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        Posix.MakeFifo(path, 0b110_000_000);
        return path;
    }

    private sealed class LogSink(Logs.JsonFileLog? log, Logs.LogSource stream) : IFifoSink
    {
        public bool Take(FifoSource source, ReadOnlySpan<byte> bytes)
        {
            log?.Append(stream, bytes);
            return true;
        }
    }
}
