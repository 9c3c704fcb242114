using Microsoft.Extensions.Logging;
using Skep.Model.Rules;

namespace Skep.Manager.Orchestration;

internal static partial class OrchestrationLog
{
    [LoggerMessage(2101, LogLevel.Information, "The leader's loop begins: {Services} services, {Tasks} tasks, {Nodes} nodes")]
    public static partial void LoopBegins(this ILogger logger, int services, int tasks, int nodes);

    [LoggerMessage(2102, LogLevel.Warning, "Task {TaskId} of {Service} waits: {Why}")]
    public static partial void TaskWaits(this ILogger logger, string taskId, string service, string why);

    [LoggerMessage(2103, LogLevel.Information, "Service {Service}: {Message}")]
    public static partial void UpdateMoved(this ILogger logger, string service, string message);

    [LoggerMessage(2104, LogLevel.Warning, "Network {Network} gets no addresses: {Why}")]
    public static partial void NetworkUnallocated(this ILogger logger, string network, string why);

    [LoggerMessage(2105, LogLevel.Debug, "{Count} changes are in the store at revision {Revision}")]
    public static partial void Committed(this ILogger logger, int count, ulong revision);

    [LoggerMessage(2106, LogLevel.Debug, "Another writer was first ({Reason}); the pass is done again on the newer view")]
    public static partial void Overtaken(this ILogger logger, string reason);

    [LoggerMessage(2107, LogLevel.Warning, "The store gives no answer ({Reason}); the leader's loop waits for it")]
    public static partial void StoreAway(this ILogger logger, string reason);

    [LoggerMessage(2108, LogLevel.Warning, "Network {Network} overlaps {Overlap}: its containers there cannot reach those addresses outside")]
    public static partial void NetworkOverlaps(this ILogger logger, string network, HostOverlap overlap);
}
