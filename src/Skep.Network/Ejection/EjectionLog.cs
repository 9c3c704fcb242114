using Microsoft.Extensions.Logging;

namespace Skep.Network.Ejection;

internal static partial class EjectionLog
{
    [LoggerMessage(5301, LogLevel.Warning, "Backend {Backend} of service {Service} refuses ({Proof}); this node sends it nothing new until it answers")]
    public static partial void Ejected(this ILogger logger, string backend, string service, string proof);

    [LoggerMessage(5302, LogLevel.Information, "Backend {Backend} of service {Service} answers again, after {Seconds:0.0} s")]
    public static partial void Returned(this ILogger logger, string backend, string service, double seconds);

    [LoggerMessage(5303, LogLevel.Debug, "Backend {Backend} was tried and {Outcome}")]
    public static partial void Tried(this ILogger logger, string backend, string outcome);

    [LoggerMessage(5304, LogLevel.Debug, "Signs of backends in {Space} came faster than they could be read")]
    public static partial void SignsLost(this ILogger logger, string space);

    [LoggerMessage(5305, LogLevel.Error, "Backends that refuse are no longer tried")]
    public static partial void TrialsEnded(this ILogger logger, Exception failure);
}
