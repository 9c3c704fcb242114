using Microsoft.Extensions.Logging;

namespace Skep.Network.Dns;

internal static partial class DnsLog
{
    [LoggerMessage(5301, LogLevel.Error, "A query broke its answer")]
    public static partial void QueryBroke(this ILogger log, Exception exception);

    [LoggerMessage(5302, LogLevel.Warning, "The name server of container {ContainerId} takes no more connections: {Reason}")]
    public static partial void ListenerBroke(this ILogger log, string containerId, string reason);
}
