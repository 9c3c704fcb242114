using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Takes tasks from nodes that changed under them: a label, a role or the machine's size is no longer what the task needs. Only
/// nodes of this pass's change are looked at; a changed wish is the updater's to carry out, slot by slot.
/// </summary>
public sealed class ConstraintEnforcer(IReadOnlySet<string> changedNodes)
{
    public bool Evicts(ServiceTasks tasks, SwarmTask task)
    {
        if (!changedNodes.Contains(task.NodeId)
            || task.Status.State is < TaskState.Assigned or > TaskState.Running
            || tasks.Work.Node(task.NodeId) is not { Spec.Availability: NodeSpec.Active } node)
        {
            return false;
        }

        var constraints = tasks.IsDirty(task) ? task.Spec.Placement?.Constraints : tasks.Service.Spec.TaskTemplate.Placement?.Constraints;
        return !PlacementConstraint.AllMatch(constraints, node) || Overfull(tasks, task, node);
    }

    /// <summary>
    /// The reason stands on the task until its agent reports the stop. The state stays as it is: the container still runs, and
    /// its addresses are its own until it does not.
    /// </summary>
    public static SwarmTask Explain(ServiceTasks tasks, SwarmTask task)
    {
        tasks.Update(task with
        {
            Status = task.Status with { Message = "task rejected by constraint enforcer", Err = "assigned node no longer meets constraints" },
        });
        return tasks.Work.Task(task.Id)!;
    }

    private static bool Overfull(ServiceTasks tasks, SwarmTask task, SwarmNode node)
    {
        if (task.Spec.Resources?.Reservations is not { } reserved || node.Description is null)
        {
            return false;
        }

        // The book follows each eviction: tasks go only until the rest fits.
        var view = tasks.Work.Books.Nodes.View(task.NodeId);
        return (reserved.NanoCPUs is > 0 && view.FreeNanoCpus < 0) || (reserved.MemoryBytes is > 0 && view.FreeMemory < 0);
    }
}
