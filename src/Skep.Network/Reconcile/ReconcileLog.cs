using Microsoft.Extensions.Logging;

namespace Skep.Network.Reconcile;

internal static partial class ReconcileLog
{
    [LoggerMessage(5101, LogLevel.Warning, "Repaired {Space}: {Difference}")]
    public static partial void Repaired(this ILogger logger, string space, string difference);

    [LoggerMessage(5102, LogLevel.Debug, "Changed {Space}: {Difference}")]
    public static partial void Changed(this ILogger logger, string space, string difference);

    [LoggerMessage(5103, LogLevel.Error, "Namespace {Space} could not be brought to its wanted state")]
    public static partial void SpaceFailed(this ILogger logger, Exception failure, string space);

    [LoggerMessage(5104, LogLevel.Warning, "Changes to namespace {Space} are no longer heard of; the full pass goes on")]
    public static partial void ListenerLost(this ILogger logger, Exception failure, string space);

    [LoggerMessage(5105, LogLevel.Warning, "Namespace {Space} is no longer at its path; it is made anew")]
    public static partial void SpaceLost(this ILogger logger, string space);

    [LoggerMessage(5106, LogLevel.Information, "Removed namespace {Space}")]
    public static partial void SpaceRemoved(this ILogger logger, string space);

    [LoggerMessage(5119, LogLevel.Warning, "Answers under way from a draining task may be lost in {Space}: {Reason}")]
    public static partial void LateAnswersLost(this ILogger logger, string space, string reason);

    [LoggerMessage(5107, LogLevel.Debug, "Packet rules for {Space}:\n{Script}")]
    public static partial void Script(this ILogger logger, string space, string script);
}
