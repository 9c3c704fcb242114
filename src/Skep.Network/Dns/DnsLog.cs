using Microsoft.Extensions.Logging;

namespace Skep.Network.Dns;

internal static partial class DnsLog
{
    [LoggerMessage(5301, LogLevel.Error, "A query broke its answer")]
    public static partial void QueryBroke(this ILogger log, Exception exception);

    [LoggerMessage(5302, LogLevel.Warning, "A name server could not take a connection: {Reason}")]
    public static partial void ListenerBroke(this ILogger log, string reason);
}
