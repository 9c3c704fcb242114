namespace Skep.Daemon.Startup;

internal static partial class StartupLog
{
    [LoggerMessage(1001, LogLevel.Information, "The Engine API answers at {Socket}, {Milliseconds:F0} ms after the start")]
    public static partial void Ready(this ILogger log, string socket, double milliseconds);

    [LoggerMessage(1002, LogLevel.Information, "The daemon stops; containers go on")]
    public static partial void Stopping(this ILogger log);
}
