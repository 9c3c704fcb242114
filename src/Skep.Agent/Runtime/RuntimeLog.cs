using Microsoft.Extensions.Logging;

namespace Skep.Agent.Runtime;

internal static partial class RuntimeLog
{
    [LoggerMessage(5001, LogLevel.Debug, "containerd's {Call} is called again: {Reason}")]
    public static partial void CallRepeated(this ILogger logger, string call, string reason);

    [LoggerMessage(5002, LogLevel.Warning, "containerd's events ended and are subscribed again: {Reason}")]
    public static partial void EventsBroken(this ILogger logger, string reason);

    [LoggerMessage(5003, LogLevel.Information, "Container {Id} ({Name}) was taken over, {State}")]
    public static partial void TakenOver(this ILogger logger, string id, string name, ContainerState state);

    [LoggerMessage(5004, LogLevel.Information, "Container {Id} ({Name}) started in {Milliseconds} ms")]
    public static partial void Started(this ILogger logger, string id, string name, long milliseconds);

    [LoggerMessage(5005, LogLevel.Information, "Container {Id} ({Name}) ended with {ExitCode}")]
    public static partial void Ended(this ILogger logger, string id, string name, int exitCode);

    [LoggerMessage(5006, LogLevel.Warning, "Container {Id} could not be cleaned up and is left for the next start: {Reason}")]
    public static partial void NotCleaned(this ILogger logger, string id, string reason);

    [LoggerMessage(5007, LogLevel.Information, "Leftovers of container {Id} were removed")]
    public static partial void LeftoverRemoved(this ILogger logger, string id);

    [LoggerMessage(5008, LogLevel.Error, "The state of container {Id} cannot be written: {Reason}")]
    public static partial void StateNotWritten(this ILogger logger, string id, string reason);

    [LoggerMessage(5009, LogLevel.Warning, "The record of container {Folder} cannot be read and is set aside: {Reason}")]
    public static partial void StateUnreadable(this ILogger logger, string folder, string reason);

    [LoggerMessage(5010, LogLevel.Debug, "A health probe of container {Id} could not be run: {Reason}")]
    public static partial void ProbeNotRun(this ILogger logger, string id, string reason);

    [LoggerMessage(5011, LogLevel.Information, "Container {Id} is {Health}")]
    public static partial void HealthChanged(this ILogger logger, string id, string health);
}
