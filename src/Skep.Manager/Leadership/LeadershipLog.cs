using Microsoft.Extensions.Logging;

namespace Skep.Manager.Leadership;

internal static partial class LeadershipLog
{
    [LoggerMessage(2600, LogLevel.Information, "This manager leads since revision {Revision}")]
    public static partial void Elected(this ILogger logger, long revision);

    [LoggerMessage(2601, LogLevel.Information, "Manager {NodeId} leads")]
    public static partial void Following(this ILogger logger, string nodeId);

    [LoggerMessage(2602, LogLevel.Warning, "This manager does not lead any more: {Reason}")]
    public static partial void Deposed(this ILogger logger, string reason);

    [LoggerMessage(2603, LogLevel.Warning, "No election is possible: {Reason}")]
    public static partial void ElectionFailed(this ILogger logger, string reason);
}
