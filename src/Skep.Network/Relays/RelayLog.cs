using System.Net;
using Microsoft.Extensions.Logging;

namespace Skep.Network.Relays;

internal static partial class RelayLog
{
    [LoggerMessage(5800, LogLevel.Information, "The relay listens on port {Port}")]
    public static partial void Listening(this ILogger logger, ushort port);

    [LoggerMessage(5801, LogLevel.Warning, "The relay has no room for another flow; new ones wait: {Reason}")]
    public static partial void Crowded(this ILogger logger, string reason);

    [LoggerMessage(5803, LogLevel.Error, "A connection could not be relayed and was reset")]
    public static partial void Unserved(this ILogger logger, Exception failure);

    [LoggerMessage(5802, LogLevel.Debug, "Nothing can stand for {Client}; the backend is chosen as for this node: {Reason}")]
    public static partial void NoStandIn(this ILogger logger, IPAddress client, string reason);
}
