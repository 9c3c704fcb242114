using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Puts a new task in the place of one that is over. Everything it goes by stands in the store (the slot's tasks, their versions
/// and times, <see cref="SwarmTask.StartAfter"/>), so a new leader goes on where the old one stopped.
/// </summary>
public static class RestartSupervisor
{
    public const long DefaultDelayNanoseconds = 5_000_000_000;

    /// <summary>A new task starts without its predecessor's word when that does not come for so long.</summary>
    public static readonly TimeSpan LongestWaitForOld = TimeSpan.FromMinutes(1);

    /// <summary>Does the restart policy allow one more task after <paramref name="ended"/>?</summary>
    public static bool MayRestart(RestartPolicy? policy, Slot slot, SwarmTask ended)
    {
        switch (policy?.Condition)
        {
            case "none":
            case "on-failure" when ended.Status.State == TaskState.Complete
                || (ended.Status.State == TaskState.Failed && ended.Status.Container is { ExitCode: 0, ContainerId.Length: > 0 } && ended.Status.Err is null):
                return false;
        }

        if (policy?.MaxAttempts is not > 0)
        {
            return true;
        }

        // Every task of this version but the first is a restart; the reaper keeps one more than the policy counts.
        var restarts = slot.Tasks.Where(t => t.SpecVersion == ended.SpecVersion).Skip(1);
        if (policy.Window is > 0 and { } window)
        {
            var since = EndOf(ended) - Time.Span(window);
            restarts = restarts.Where(t => t.CreatedAt >= since);
        }

        return (ulong)restarts.Count() < policy.MaxAttempts;
    }

    /// <summary>The slot's newest task is over by itself and the policy wants no other: the slot is done, not empty.</summary>
    public static bool IsFinished(RestartPolicy? policy, Slot slot) =>
        !slot.HasLive
        && slot.Newest is { Status.State: TaskState.Complete or TaskState.Failed or TaskState.Rejected, DesiredState: not TaskState.Remove } newest
        && !MayRestart(policy, slot, newest);

    /// <summary>
    /// Tells <paramref name="task"/> to stop and makes its successor when the policy allows one. <paramref name="delayed"/> is false
    /// when the task is not to blame: its node is down, drained or gone, or no longer fits. The policy's delay is there to slow
    /// down a container that crashes in a loop; for such a task it would only be an outage, so its successor starts at once.
    /// </summary>
    public static void Restart(ServiceTasks tasks, Slot slot, SwarmTask task, bool delayed)
    {
        // A task is prepared while it waits for its start and may fail at that; the next one waits as long all the same, or an image
        // or a mount that is not there would make tasks as fast as nodes refuse them.
        if (delayed && task is { DesiredState: TaskState.Ready, StartAfter: { } start } && tasks.Work.Now < start)
        {
            tasks.Wake(start);
            return;
        }

        tasks.Desire(task, TaskState.Shutdown);
        if (slot.Live.Any(t => !tasks.IsDirty(t)) || !MayRestart(tasks.Policy, slot, task))
        {
            return;
        }

        var delay = delayed ? Time.Span(tasks.Policy?.Delay ?? DefaultDelayNanoseconds) : TimeSpan.Zero;
        var startFirst = tasks.Service.Spec.UpdateConfig?.Order == "start-first";
        var waits = delay > TimeSpan.Zero || (!startFirst && slot.Tasks.Any(tasks.IsStopping));
        tasks.Add(slot.Key, waits ? TaskState.Ready : TaskState.Running, delay > TimeSpan.Zero ? tasks.Work.Now + delay : null);
    }

    /// <summary>Lets prepared tasks run when their delay is over and their predecessor has stopped.</summary>
    public static void Promote(ServiceTasks tasks, Slot slot)
    {
        foreach (var task in slot.Live.Where(t => t.DesiredState == TaskState.Ready && t.Status.State <= TaskState.Running).ToArray())
        {
            var start = task.StartAfter ?? task.CreatedAt;
            if (slot.Tasks.Any(tasks.IsStopping))
            {
                var patience = task.CreatedAt + LongestWaitForOld;
                start = start > patience ? start : patience;
            }

            if (tasks.Work.Now >= start)
            {
                tasks.Desire(task, TaskState.Running);
            }
            else
            {
                tasks.Wake(start);
            }
        }
    }

    /// <summary>When the managers learned that a task is over.</summary>
    public static DateTimeOffset EndOf(SwarmTask task) => task.Status.AppliedAt ?? task.Status.Timestamp;
}
