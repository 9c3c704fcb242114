using Microsoft.Extensions.Logging;

namespace Skep.Network;

internal static partial class NetworkLog
{
    [LoggerMessage(5001, LogLevel.Information, "Container {ContainerId} has its network namespace")]
    public static partial void Attached(this ILogger logger, string containerId);

    [LoggerMessage(5002, LogLevel.Information, "Container {ContainerId} has no network namespace any more")]
    public static partial void Detached(this ILogger logger, string containerId);

    [LoggerMessage(5003, LogLevel.Debug, "The kernel holds plan {Revision}")]
    public static partial void Applied(this ILogger logger, ulong revision);

    [LoggerMessage(5004, LogLevel.Warning, "The host port of container {ContainerId} is held by another program; its rules stay")]
    public static partial void PortHeldByOther(this ILogger logger, Exception failure, string containerId);

    [LoggerMessage(5005, LogLevel.Error, "A pass over the node's network failed; the next one looks at everything")]
    public static partial void PassFailed(this ILogger logger, Exception failure);

    [LoggerMessage(5006, LogLevel.Warning, "The names of sandbox {Space} are away until its container is found again: {Reason}")]
    public static partial void NamesStayedAway(this ILogger logger, string space, string reason);
}
