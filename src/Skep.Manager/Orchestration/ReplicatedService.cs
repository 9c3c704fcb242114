using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>Keeps as many slots filled as the service has replicas.</summary>
public static class ReplicatedService
{
    public static ulong Replicas(SwarmService service) => service.Spec.Mode.Replicated?.Replicas ?? 1;

    /// <summary>Replaces tasks that are over, and those whose node is lost or fits no longer.</summary>
    public static void Restart(ServiceTasks tasks, ConstraintEnforcer enforcer)
    {
        foreach (var slot in tasks.Slots)
        {
            foreach (var task in slot.Live.ToArray())
            {
                if (task.Status.State > TaskState.Running)
                {
                    RestartSupervisor.Restart(tasks, slot, task, delayed: true);
                }
                else if (tasks.NodeIsLost(task))
                {
                    RestartSupervisor.Restart(tasks, slot, task, delayed: false);
                }
                else if (enforcer.Evicts(tasks, task))
                {
                    RestartSupervisor.Restart(tasks, slot, ConstraintEnforcer.Explain(tasks, task), delayed: false);
                }
            }
        }
    }

    public static void Scale(ServiceTasks tasks)
    {
        var wanted = Replicas(tasks.Service);
        var filled = tasks.Slots.Where(s => s.HasLive || RestartSupervisor.IsFinished(tasks.Policy, s)).ToArray();
        if ((ulong)filled.Length < wanted)
        {
            Fill(tasks, filled, wanted);
        }
        else if ((ulong)filled.Length > wanted)
        {
            foreach (var slot in Surplus(filled, (int)wanted))
            {
                foreach (var task in slot.Tasks.ToArray())
                {
                    tasks.Desire(task, TaskState.Remove);
                }
            }
        }
    }

    private static void Fill(ServiceTasks tasks, Slot[] filled, ulong wanted)
    {
        var taken = filled.Select(s => s.Key.Number).ToHashSet();
        var missing = wanted - (ulong)filled.Length;
        for (ulong number = 1; missing > 0; number++)
        {
            if (taken.Contains(number))
            {
                continue;
            }

            var slot = tasks.At(new SlotKey(number, ""));
            tasks.Add(slot.Key, slot.Tasks.Any(tasks.IsStopping) ? TaskState.Ready : TaskState.Running);
            missing--;
        }
    }

    /// <summary>The slots to give up: those that do not run, then those on the node that has the most of them; among equals the highest number.</summary>
    private static IEnumerable<Slot> Surplus(Slot[] filled, int keep)
    {
        var placeOnNode = new Dictionary<string, int>();
        return filled
            .Select(slot =>
            {
                var runs = slot.Live.FirstOrDefault(t => t.Status.State == TaskState.Running);
                var node = (runs ?? slot.Live.FirstOrDefault())?.NodeId ?? "";
                return (slot, runs: runs is not null, node);
            })
            .OrderByDescending(s => s.runs).ThenBy(s => s.slot.Key)
            .Select(s => (s.slot, s.runs, place: placeOnNode[s.node] = placeOnNode.GetValueOrDefault(s.node) + 1))
            .ToArray()
            .OrderByDescending(s => s.runs).ThenBy(s => s.place).ThenBy(s => s.slot.Key)
            .Skip(keep).Select(s => s.slot);
    }
}
