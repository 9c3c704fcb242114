using Skep.Agent.Logs;
using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>A container's output on a connection of its own, from its log: what was written, what is being written, or both.</summary>
internal static class ContainerAttach
{
    public static async Task RunAsync(HttpContext context, IContainerRuntime runtime)
    {
        var container = runtime.Find(context.Reference());
        if (container.State == ContainerState.Paused)
        {
            throw new ClusterException(ErrorKind.Conflict, $"container {container.Id} is paused, unpause the container before attach");
        }

        if (context.Flag("stdin") && container.Recipe.OpenStdin)
        {
            throw new ClusterException(ErrorKind.NotImplemented, "This version does not pass input to containers; attach with --no-stdin.");
        }

        var (stdout, stderr, past, live) = (context.Flag("stdout"), context.Flag("stderr"), context.Flag("logs"), context.Flag("stream"));
        var query = new LogQuery { Stdout = stdout, Stderr = stderr, Follow = live, Tail = past ? null : 0 };
        var log = runtime.Log(container.Id);
        var framed = !container.Recipe.Tty;
        await context.HijackAsync(FrameWriter.ContentTypeFor(context.ApiVersion(), framed), async (stream, cancellationToken) =>
        {
            if ((stdout || stderr) && (past || live))
            {
                using var frames = new FrameWriter(stream, framed);
                await ContainerLogs.CopyAsync(log.ReadAsync(query, cancellationToken), frames, timestamps: false, details: false, cancellationToken);
            }
        });
    }
}
