using Microsoft.Extensions.Logging;
using Skep.Model.Objects;

namespace Skep.Agent.Tasks;

internal static partial class TasksLog
{
    [LoggerMessage(4101, LogLevel.Warning, "Task {TaskId} ({Name}) cannot go on: {Reason}")]
    public static partial void TaskFailed(this ILogger log, string taskId, string name, string reason);

    [LoggerMessage(4102, LogLevel.Warning, "Task {TaskId} waits: {Reason}")]
    public static partial void TaskWaits(this ILogger log, string taskId, string reason);

    [LoggerMessage(4103, LogLevel.Error, "Task {TaskId} broke its runner")]
    public static partial void TaskBroke(this ILogger log, Exception exception, string taskId);

    [LoggerMessage(4106, LogLevel.Information, "Task {TaskId} ({Name}) gets its stop signal: {Receipt}")]
    public static partial void TaskDrained(this ILogger log, string taskId, string name, TaskDrain receipt);

    [LoggerMessage(4107, LogLevel.Warning, "Task {TaskId} ({Name}) runs, but nothing listens at {Ports} after {Milliseconds} ms; it gets its flows all the same")]
    public static partial void TaskNotListening(this ILogger log, string taskId, string name, string ports, long milliseconds);

    [LoggerMessage(4108, LogLevel.Warning, "Task {TaskId} ({Name}) is unhealthy and gets no new flows")]
    public static partial void TaskUnhealthy(this ILogger log, string taskId, string name);

    [LoggerMessage(4104, LogLevel.Information, "Container {ContainerId} ({Name}) belongs to no task any more and is removed")]
    public static partial void StrangerRemoved(this ILogger log, string containerId, string name);

    [LoggerMessage(4105, LogLevel.Error, "What task {TaskId} had could not be removed: {Reason}")]
    public static partial void RemoveFailed(this ILogger log, string taskId, string reason);
}
