using Skep.Agent.Runtime.Native;
using Skep.Agent.Runtime.Stdio;

namespace Skep.Agent.Runtime;

/// <summary>The FIFOs of one exec and the streams on this side of them. Streams that were not asked for are empty.</summary>
internal sealed class ExecStdio
{
    private readonly string _folder;
    private readonly List<(FifoSource Source, PipeSink Sink)> _outputs = [];

    public ExecStdio(RuntimeParts parts, string folder, ExecRecipe recipe, Func<Task> closeStdin)
    {
        _folder = folder;
        Stream stdout = Stream.Null;
        Stream stderr = Stream.Null;
        Stream stdin = Stream.Null;
        // The shim takes either none of the outputs or all of them, so one that nobody asked for is read and thrown away.
        if (recipe.AttachStdout || recipe.AttachStderr || recipe.AttachStdin || recipe.Tty)
        {
            (Stdout, stdout) = Output(parts, "stdout", recipe.AttachStdout || recipe.Tty);
            if (!recipe.Tty)
            {
                (Stderr, stderr) = Output(parts, "stderr", recipe.AttachStderr);
            }
        }

        if (recipe.AttachStdin)
        {
            Stdin = Fifo("stdin");
            stdin = new StdinStream(parts.Reactor, Stdin, closeStdin);
        }

        Streams = new ExecStreams(stdin, stdout, stderr);
    }

    public string Stdin { get; } = "";
    public string Stdout { get; } = "";
    public string Stderr { get; } = "";
    public ExecStreams Streams { get; }

    /// <summary>Everything that was written has been handed to the streams.</summary>
    public async Task DrainAsync()
    {
        (Streams.Stdin as StdinStream)?.Abort();
        foreach (var (source, _) in _outputs)
        {
            source.End();
        }

        await Task.WhenAll(_outputs.Select(o => o.Source.Ended));
    }

    /// <summary>Ends the streams, the first one that is read with <paramref name="last"/>.</summary>
    public async Task CloseAsync(byte[] last)
    {
        await DrainAsync();
        foreach (var (_, sink) in _outputs)
        {
            last = sink.Complete(last) ? [] : last;
        }

        Directory.Delete(_folder, recursive: true);
    }

    private (string Path, Stream Stream) Output(RuntimeParts parts, string name, bool wanted)
    {
        var path = Fifo(name);
        var sink = new PipeSink();
        _outputs.Add((parts.Reactor.Read(path, sink), sink));
        if (wanted)
        {
            return (path, sink.Stream);
        }

        sink.Discard();
        return (path, Stream.Null);
    }

    private string Fifo(string name)
    {
        var path = Path.Combine(_folder, name);
        Posix.MakeFifo(path, 0b110_000_000);
        return path;
    }
}
