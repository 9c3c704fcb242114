using Skep.Model.States;

namespace Skep.Agent.Tasks;

/// <summary>The one next thing to do for a task.</summary>
public enum TaskStep
{
    /// <summary>Nothing until the wish or the world changes.</summary>
    Nothing,
    Accept,
    Prepare,
    Start,

    /// <summary>Wait for the container to end, or for another wish.</summary>
    AwaitExit,
    Stop,
}

/// <summary>The life of a task on its node as a total function from what is and what is wished to one next step.</summary>
public static class TaskLifecycle
{
    public static TaskStep Next(TaskState observed, TaskState desired) => (observed, desired) switch
    {
        ( >= TaskState.Complete, _) => TaskStep.Nothing,
        (_, >= TaskState.Shutdown) => TaskStep.Stop,
        ( <= TaskState.Assigned, _) => TaskStep.Accept,
        (TaskState.Accepted or TaskState.Preparing, _) => TaskStep.Prepare,
        (TaskState.Ready, < TaskState.Running) => TaskStep.Nothing,
        (TaskState.Ready or TaskState.Starting, _) => TaskStep.Start,
        (TaskState.Running, _) => TaskStep.AwaitExit,
        _ => TaskStep.Nothing,
    };
}
