using System.Text;
using Skep.Agent.Logs;
using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>A container's output: frames, or bare bytes when it has a TTY.</summary>
internal static class ContainerLogs
{
    public static async Task WriteAsync(HttpContext context, IContainerRuntime runtime)
    {
        var container = runtime.Find(context.Reference());
        var query = new LogQuery
        {
            Stdout = context.Flag("stdout"),
            Stderr = context.Flag("stderr"),
            Follow = context.Flag("follow"),
            Tail = context.Tail(),
            Since = context.Moment("since"),
            Until = context.Moment("until"),
        };
        if (query is { Stdout: false, Stderr: false })
        {
            throw ClusterException.Invalid("Bad parameters: you must choose at least one stream");
        }

        // Before the headers: a driver that keeps nothing is refused with a status.
        var entries = runtime.Log(container.Id).ReadAsync(query, context.RequestAborted);
        var (timestamps, details) = (context.Flag("timestamps"), context.Flag("details"));
        var framed = !container.Recipe.Tty;
        var output = await context.BeginStreamAsync(FrameWriter.ContentTypeFor(context.ApiVersion(), framed));
        using var frames = new FrameWriter(output, framed);
        await CopyAsync(entries, frames, timestamps, details, context.RequestAborted);
    }

    /// <summary>One frame per entry. A long line's later pieces go on without a head of their own.</summary>
    public static async Task CopyAsync(
        IAsyncEnumerable<LogEntry> entries, FrameWriter frames, bool timestamps, bool details, CancellationToken cancellationToken)
    {
        var inside = new bool[(int)LogSource.Stderr + 1];
        try
        {
            await foreach (var entry in entries.WithCancellation(cancellationToken))
            {
                var head = (timestamps || details) && !inside[(int)entry.Source] ? Head(entry, timestamps, details) : "";
                inside[(int)entry.Source] = entry.Line is { Length: > 0 } line && line.Span[^1] != (byte)'\n';
                await frames.WriteAsync(
                    (byte)entry.Source,
                    head.Length == 0 ? entry.Line : (byte[])[.. Encoding.ASCII.GetBytes(head), .. entry.Line.Span],
                    cancellationToken);
            }
        }
        catch (ClusterException broken)
        {
            await frames.WriteAsync(FrameWriter.SystemError, Encoding.UTF8.GetBytes($"Error grabbing logs: {broken.Message}\n"), cancellationToken);
        }
    }

    /// <summary>Details are attributes of the log driver; there are none, and what is left of them is the space after.</summary>
    private static string Head(LogEntry entry, bool timestamps, bool details) =>
        (timestamps ? Timestamps.NineDigits(entry.Time) + " " : "") + (details ? " " : "");
}
