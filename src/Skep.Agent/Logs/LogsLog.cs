using Microsoft.Extensions.Logging;

namespace Skep.Agent.Logs;

internal static partial class LogsLog
{
    [LoggerMessage(5201, LogLevel.Warning, "Output of a container is being lost, {Path} cannot be written: {Reason}")]
    public static partial void LogNotKept(this ILogger logger, string path, string reason);

    [LoggerMessage(5202, LogLevel.Information, "{Path} can be written again; {Lines} lines were lost")]
    public static partial void LogKeptAgain(this ILogger logger, string path, long lines);
}
