using Microsoft.Extensions.Logging;

namespace Skep.Rpc.Server;

internal static partial class RpcLog
{
    [LoggerMessage(1000, LogLevel.Error, "Call {Path} failed")]
    public static partial void CallFailed(this ILogger logger, Exception exception, string path);

    [LoggerMessage(1001, LogLevel.Debug, "Call {Path} was refused with {Code}: {Reason}")]
    public static partial void CallRefused(this ILogger logger, string path, RpcStatusCode code, string reason);
}
