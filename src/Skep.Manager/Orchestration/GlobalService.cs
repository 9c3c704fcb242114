using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>Keeps one task on every node that the service's constraints admit.</summary>
public static class GlobalService
{
    public static void Reconcile(ServiceTasks tasks, ConstraintEnforcer enforcer)
    {
        var work = tasks.Work;
        foreach (var node in work.View.Nodes.Keys.Order(StringComparer.Ordinal).Select(work.Node).OfType<SwarmNode>())
        {
            var slot = tasks.At(new SlotKey(0, node.Id));
            if (!IsEligible(tasks.Service, node))
            {
                foreach (var task in slot.Live.ToArray())
                {
                    tasks.Desire(task, TaskState.Shutdown);
                }
            }
            else
            {
                Keep(tasks, enforcer, node, slot);
            }
        }

        foreach (var orphan in tasks.Slots.Where(s => work.Node(s.Key.NodeId) is null).SelectMany(s => s.Tasks).ToArray())
        {
            tasks.Desire(orphan, TaskState.Remove);
        }
    }

    private static void Keep(ServiceTasks tasks, ConstraintEnforcer enforcer, SwarmNode node, Slot slot)
    {
        // A paused node keeps what runs there and gets nothing new, not even in place of a task that ended.
        var paused = node.Spec.Availability == NodeSpec.Pause;
        foreach (var task in slot.Live.ToArray())
        {
            if (task.Status.State > TaskState.Running)
            {
                if (paused)
                {
                    tasks.Desire(task, TaskState.Shutdown);
                }
                else
                {
                    RestartSupervisor.Restart(tasks, slot, task, delayed: true);
                }
            }
            else if (enforcer.Evicts(tasks, task))
            {
                tasks.Desire(ConstraintEnforcer.Explain(tasks, task), TaskState.Shutdown);
            }
        }

        if (!slot.HasLive && !paused && !RestartSupervisor.IsFinished(tasks.Policy, slot))
        {
            tasks.Add(slot.Key, slot.Tasks.Any(tasks.IsStopping) ? TaskState.Ready : TaskState.Running);
        }
    }

    private static bool IsEligible(SwarmService service, SwarmNode node) =>
        node is { Status.State: not NodeState.Down, Spec.Availability: not NodeSpec.Drain }
        && PlacementConstraint.AllMatch(service.Spec.TaskTemplate.Placement?.Constraints, node);
}
