using System.Text;
using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Swarm;
using Skep.Manager.Dispatch;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Services;

/// <summary>
/// Logs of a service or task from every node, one frame per line: timestamp, then the ids of node, service and task (details), then
/// the line. The CLI takes the ids apart again and refuses lines without them.
/// </summary>
internal static class ServiceLogsEndpoint
{
    public static async Task WriteAsync(HttpContext context, ManagerPart part, string? serviceId, string? taskId)
    {
        var query = new ServiceLogQuery
        {
            ServiceId = serviceId,
            TaskId = taskId,
            Stdout = context.Flag("stdout"),
            Stderr = context.Flag("stderr"),
            Follow = context.Flag("follow"),
            Tail = context.Tail(),
            Since = context.Moment("since"),
        };
        if (query is { Stdout: false, Stderr: false })
        {
            throw ClusterException.Invalid("Bad parameters: you must choose at least one stream");
        }

        var (timestamps, details) = (context.Flag("timestamps"), context.Flag("details"));
        var cancellationToken = context.RequestAborted;
        var framed = !HasTerminal(part, serviceId, taskId);
        var output = await context.BeginStreamAsync(FrameWriter.ContentTypeFor(context.ApiVersion(), framed));
        using var frames = new FrameWriter(output, framed);
        try
        {
            await foreach (var message in part.Logs.ReadAsync(query, cancellationToken))
            {
                await (message.Problem is { } problem
                    ? frames.WriteAsync(FrameWriter.SystemError, Encoding.UTF8.GetBytes($"Error grabbing logs: {problem}"), cancellationToken)
                    : frames.WriteAsync(message.Source, Line(message, timestamps, details), cancellationToken));
            }
        }
        catch (ClusterException broken)
        {
            await frames.WriteAsync(FrameWriter.SystemError, Encoding.UTF8.GetBytes($"Error grabbing logs: {broken.Message}"), cancellationToken);
        }
    }

    internal static byte[] Line(ServiceLogMessage message, bool timestamps, bool details)
    {
        var head = new StringBuilder();
        if (timestamps)
        {
            head.Append(Timestamps.NineDigits(message.Time)).Append(' ');
        }

        if (details)
        {
            head.Append("com.docker.swarm.node.id=").Append(message.NodeId)
                .Append(",com.docker.swarm.service.id=").Append(message.ServiceId)
                .Append(",com.docker.swarm.task.id=").Append(message.TaskId).Append(' ');
        }

        // A piece of a line without its end would run into the next node's line.
        var ends = message.Line.Length > 0 && message.Line.Span[^1] == (byte)'\n';
        return [.. Encoding.UTF8.GetBytes(head.ToString()), .. message.Line.Span, .. ends ? [] : "\n"u8];
    }

    private static bool HasTerminal(ManagerPart part, string? serviceId, string? taskId)
    {
        var view = part.Store.Current;
        var spec = taskId is not null
            ? view.Tasks.GetValueOrDefault(taskId)?.Spec
            : view.Services.GetValueOrDefault(serviceId ?? "")?.Spec.TaskTemplate;
        return spec?.ContainerSpec?.TTY ?? false;
    }
}
