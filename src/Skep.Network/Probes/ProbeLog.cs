using Microsoft.Extensions.Logging;

namespace Skep.Network.Probes;

internal static partial class ProbeLog
{
    [LoggerMessage(5401, LogLevel.Warning, "Node {Node} does not answer through the tunnel since {Seconds:0.0} s; this node sends its backends nothing new until it does")]
    public static partial void PeerSilent(this ILogger logger, string node, double seconds);

    [LoggerMessage(5402, LogLevel.Information, "Node {Node} answers through the tunnel again, after {Seconds:0.0} s")]
    public static partial void PeerReturned(this ILogger logger, string node, double seconds);

    [LoggerMessage(5403, LogLevel.Warning, "Way to node {Node}: {Finding}")]
    public static partial void PeerFound(this ILogger logger, string node, string finding);

    [LoggerMessage(5404, LogLevel.Information, "Way to node {Node} is in order again")]
    public static partial void PeerRight(this ILogger logger, string node);

    [LoggerMessage(5405, LogLevel.Information, "Packets to node {Node} may have {Mtu} bytes; before it was {Before}")]
    public static partial void PathMtu(this ILogger logger, string node, int mtu, int before);

    [LoggerMessage(5406, LogLevel.Debug, "Peers cannot be asked now: {Reason}")]
    public static partial void CannotAsk(this ILogger logger, string reason);

    [LoggerMessage(5407, LogLevel.Error, "A look at the way to node {Node} failed")]
    public static partial void SurveyFailed(this ILogger logger, Exception failure, string node);
}
