namespace Skep.Daemon.Startup;

internal static partial class StartupLog
{
    [LoggerMessage(1001, LogLevel.Information, "The Engine API answers at {Socket}, {Milliseconds:F0} ms after the start")]
    public static partial void Ready(this ILogger log, string socket, double milliseconds);

    [LoggerMessage(1002, LogLevel.Information, "The daemon has stopped; containers go on")]
    public static partial void Stopped(this ILogger log);

    [LoggerMessage(1003, LogLevel.Warning, "The daemon did not stop within {Seconds} s; what is left of it is abandoned")]
    public static partial void StopAbandoned(this ILogger log, double seconds);
}
