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

    [LoggerMessage(3206, LogLevel.Warning, "Task {TaskId} is told to stop though {Nodes} did not confirm to send it nothing new (revision {Revision})")]
    public static partial void DrainUnconfirmed(this ILogger log, string taskId, string nodes, ulong revision);

    [LoggerMessage(3208, LogLevel.Warning, "What is wrong with node {NodeId} could not be written into its status: {Reason}")]
    public static partial void MessageUnwritten(this ILogger log, string nodeId, string reason);

    [LoggerMessage(3209, LogLevel.Warning, "Node {NodeId} ({Hostname}) is behind: its kernel has revision {Applied}, revision {Wanted} was sent to it more than {Seconds} s ago")]
    public static partial void NodeBehind(this ILogger log, string nodeId, string hostname, ulong applied, ulong wanted, double seconds);

    [LoggerMessage(3210, LogLevel.Information, "Node {NodeId} ({Hostname}) has caught up with revision {Applied}")]
    public static partial void NodeCaughtUp(this ILogger log, string nodeId, string hostname, ulong applied);

    [LoggerMessage(3211, LogLevel.Information, "Node {NodeId} ({Hostname}) put right what others had changed in its kernel, {Count} times; {Total} since its daemon's start")]
    public static partial void NodeRepaired(this ILogger log, string nodeId, string hostname, ulong count, ulong total);

    [LoggerMessage(3205, LogLevel.Warning, "{Count} task states wait for the store: {Reason}")]
    public static partial void StatusesWait(this ILogger log, int count, string reason);

    [LoggerMessage(3207, LogLevel.Warning, "What node {NodeId} says of itself waits for the store: {Reason}")]
    public static partial void DescriptionWaits(this ILogger log, string nodeId, string reason);
}
