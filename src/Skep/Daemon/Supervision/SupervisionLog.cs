namespace Skep.Daemon.Supervision;

internal static partial class SupervisionLog
{
    [LoggerMessage(7000, LogLevel.Error, "Loop {Loop} failed")]
    public static partial void LoopFailed(this ILogger logger, Exception cause, string loop);

    [LoggerMessage(7001, LogLevel.Error, "Loop {Loop} ended by itself")]
    public static partial void LoopEnded(this ILogger logger, string loop);

    [LoggerMessage(7002, LogLevel.Information, "{Child} runs as process {Pid}")]
    public static partial void ChildStarted(this ILogger logger, string child, int pid);

    [LoggerMessage(7003, LogLevel.Information, "{Child} was running already as process {Pid} and is taken over")]
    public static partial void ChildAdopted(this ILogger logger, string child, int pid);

    [LoggerMessage(7004, LogLevel.Warning, "{Child} left by an earlier daemon as process {Pid} is replaced: {Reason}")]
    public static partial void ChildReplaced(this ILogger logger, string child, int pid, string reason);

    [LoggerMessage(7005, LogLevel.Warning, "{Child} (process {Pid}) ended with {Exit} and starts again in {Delay}")]
    public static partial void ChildDied(this ILogger logger, string child, int pid, string exit, TimeSpan delay);

    [LoggerMessage(7006, LogLevel.Error, "{Child} cannot be started")]
    public static partial void ChildUnstartable(this ILogger logger, Exception cause, string child);

    [LoggerMessage(7007, LogLevel.Warning, "{Child} (process {Pid}) did not end within {Grace} and is killed")]
    public static partial void ChildKilled(this ILogger logger, string child, int pid, TimeSpan grace);

    // Not generated: the level is the child's own.
    public static void ChildSaid(this ILogger logger, LogLevel level, string child, string line) => s_said[level](logger, child, line, null);

    private static readonly Dictionary<LogLevel, Action<ILogger, string, string, Exception?>> s_said = Enum.GetValues<LogLevel>()
        .ToDictionary(l => l, l => LoggerMessage.Define<string, string>(l, new EventId(7008, "ChildSaid"), "{Child}: {Line}"));
}
