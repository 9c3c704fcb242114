using Microsoft.Extensions.Logging;

namespace Skep.Agent.Session;

internal static partial class SessionLog
{
    [LoggerMessage(4201, LogLevel.Warning, "The session with the manager is lost, tasks go on: {Reason} ({Cause})")]
    public static partial void SessionLost(this ILogger log, string reason, string cause);

    [LoggerMessage(4202, LogLevel.Debug, "Assignments of revision {Revision}: {Count} changes")]
    public static partial void AssignmentsTaken(this ILogger log, ulong revision, int count);

    [LoggerMessage(4203, LogLevel.Debug, "Log request {RequestId} ended early: {Reason}")]
    public static partial void LogsNotPublished(this ILogger log, string requestId, string reason);
}
