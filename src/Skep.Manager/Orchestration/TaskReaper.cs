using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>Deletes tasks that have no more to tell: the removed ones once they are over, and the history beyond what is kept per slot.</summary>
public static class TaskReaper
{
    public const long DefaultLimit = 5;

    /// <summary>Nothing of the task can still run: it never reached a node, it is over, or its node is no longer in the swarm.</summary>
    public static bool IsOver(WorkingSet work, SwarmTask task) =>
        task.Status.State is < TaskState.Assigned or >= TaskState.Complete || work.Node(task.NodeId) is null;

    public static void Reap(ServiceTasks tasks)
    {
        var limit = Limit(tasks);
        foreach (var slot in tasks.Slots)
        {
            foreach (var task in slot.Tasks.Where(t => IsForgotten(tasks.Work, t)).ToArray())
            {
                tasks.Remove(task);
            }

            if (limit >= 0 && slot.Tasks.Count > limit)
            {
                // A slot without a live task is judged by its newest one, so that one stays.
                var spared = slot.HasLive ? null : slot.Newest;
                var excess = slot.Tasks.Count - (int)limit;
                foreach (var task in slot.Tasks
                    .Where(t => t != spared && t.DesiredState > TaskState.Running && IsOver(tasks.Work, t))
                    .Take(excess).ToArray())
                {
                    tasks.Remove(task);
                }
            }
        }
    }

    /// <summary>Without its service a task is only waited for.</summary>
    public static bool IsForgotten(WorkingSet work, SwarmTask task) =>
        (task.DesiredState == TaskState.Remove && IsOver(work, task))
        || (task.DesiredState > TaskState.Running && task.Status.State < TaskState.Assigned);

    private static long Limit(ServiceTasks tasks) => tasks.Policy?.MaxAttempts is > 0 and { } attempts
        ? (long)attempts + 1
        : tasks.Work.View.Cluster?.Spec.Orchestration.TaskHistoryRetentionLimit ?? DefaultLimit;
}
