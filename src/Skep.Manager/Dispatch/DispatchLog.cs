using Microsoft.Extensions.Logging;

namespace Skep.Manager.Dispatch;

internal static partial class DispatchLog
{
    [LoggerMessage(3201, LogLevel.Information, "Node {NodeId} ({Hostname}) is ready at {Address}")]
    public static partial void NodeReady(this ILogger log, string nodeId, string hostname, string address);

    [LoggerMessage(3202, LogLevel.Warning, "Node {NodeId} ({Hostname}) is down: nothing was heard of it")]
    public static partial void NodeDown(this ILogger log, string nodeId, string hostname);

    [LoggerMessage(3203, LogLevel.Warning, "Node {NodeId} is down, but the store does not take it yet: {Reason}")]
    public static partial void NodeDownUnwritten(this ILogger log, string nodeId, string reason);

    [LoggerMessage(3204, LogLevel.Debug, "The session of node {NodeId} broke: {Reason}")]
    public static partial void SessionBroken(this ILogger log, string nodeId, string reason);

    [LoggerMessage(3205, LogLevel.Warning, "{Count} task states wait for the store: {Reason}")]
    public static partial void StatusesWait(this ILogger log, int count, string reason);
}
