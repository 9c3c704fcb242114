namespace Skep.Daemon.Http;

/// <summary>Event ids 3000–3099.</summary>
internal static partial class HttpLog
{
    [LoggerMessage(3001, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger logger, string method, string path, Exception exception);

    [LoggerMessage(3002, LogLevel.Debug, "A hijacked connection ended early: {Reason}")]
    public static partial void HijackEnded(this ILogger logger, string reason);
}
