using Skep.Manager.Orchestration;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Scheduling;

/// <summary>
/// The third stage: PENDING → ASSIGNED. Tasks of one version of a service are alike and are placed together. A task that fits no
/// node says why and waits until something changes that could make it fit.
/// </summary>
public static class Scheduler
{
    /// <summary>
    /// Places what waits. Tasks that were refused before are tried again when <paramref name="retry"/> is set or their
    /// service is in <paramref name="changed"/>.
    /// </summary>
    public static void Schedule(WorkingSet work, bool retry, IReadOnlySet<string> changed)
    {
        var waiting = work.Books.Unplaced.Select(work.Task).OfType<SwarmTask>()
            .Where(t => retry || t.Status.Err is null || changed.Contains(t.ServiceId))
            .OrderBy(t => t.CreatedAt).ThenBy(t => t.Slot).ThenBy(t => t.Id, StringComparer.Ordinal)
            .GroupBy(t => (t.ServiceId, t.SpecVersion));
        foreach (var group in waiting.ToArray())
        {
            Place(work, [.. group]);
        }
    }

    private static void Place(WorkingSet work, List<SwarmTask> tasks)
    {
        TaskNeeds needs;
        try
        {
            needs = new TaskNeeds(tasks[0]);
        }
        catch (ClusterException impossible)
        {
            tasks.ForEach(t => Refuse(work, t, impossible.Message));
            return;
        }

        var filters = PlacementFilters.For(needs);
        foreach (var bound in tasks.Where(t => t.NodeId.Length > 0))
        {
            Confirm(work, bound, needs, filters);
        }

        tasks.RemoveAll(t => t.NodeId.Length > 0);
        var book = work.Books.Nodes;
        if (tasks.Count == 1 && needs.Spread.Count == 0)
        {
            PlaceOne(work, tasks[0], needs, filters);
        }
        else if (tasks.Count > 0)
        {
            var tree = new SpreadTree(
                needs,
                book.Nodes,
                node => PlacementFilters.Refuses(filters, needs, node) is null,
                node => Rank.Of(node, needs, book.Failures, work.Now));
            var placed = tasks.TakeWhile(task => tree.TryPlace(node => Assign(work, task, node))).Count();
            RefuseAll(work, tasks[placed..], needs, filters);
        }
    }

    /// <summary>One task alone: a look at each node is cheaper than to order them all.</summary>
    private static void PlaceOne(WorkingSet work, SwarmTask task, TaskNeeds needs, IPlacementFilter[] filters)
    {
        var book = work.Books.Nodes;
        NodeView? best = null;
        var rank = default(Rank);
        foreach (var node in book.Nodes)
        {
            if (PlacementFilters.Refuses(filters, needs, node) is null)
            {
                var own = Rank.Of(node, needs, book.Failures, work.Now);
                if (best is null || own < rank)
                {
                    (best, rank) = (node, own);
                }
            }
        }

        if (best is null)
        {
            RefuseAll(work, [task], needs, filters);
        }
        else
        {
            Assign(work, task, best);
        }
    }

    private static void Assign(WorkingSet work, SwarmTask task, NodeView node) => work.Update(task with
    {
        NodeId = node.Id,
        Status = new SwarmTaskStatus { State = TaskState.Assigned, Message = "scheduler assigned task to node", Timestamp = work.Now },
    });

    /// <summary>A task of a global service has its node already; it starts there when it fits.</summary>
    private static void Confirm(WorkingSet work, SwarmTask task, TaskNeeds needs, IPlacementFilter[] filters)
    {
        var node = work.Books.Nodes.View(task.NodeId);
        if (node.Node is null || PlacementFilters.Refuses(filters, needs, node) is not null)
        {
            Refuse(work, task, PlacementFilters.Explain(filters, needs, node.Node is null ? [] : [node]));
            return;
        }

        work.Update(task with
        {
            Status = new SwarmTaskStatus
            {
                State = TaskState.Assigned,
                Message = "scheduler confirmed task can run on preassigned node",
                Timestamp = work.Now,
            },
        });
    }

    private static void RefuseAll(WorkingSet work, List<SwarmTask> tasks, TaskNeeds needs, IPlacementFilter[] filters)
    {
        if (tasks.Count > 0)
        {
            var sentence = PlacementFilters.Explain(filters, needs, work.Books.Nodes.Nodes);
            tasks.ForEach(t => Refuse(work, t, sentence));
        }
    }

    private static void Refuse(WorkingSet work, SwarmTask task, string sentence)
    {
        if (task.Status.Err != sentence)
        {
            work.Update(task with { Status = task.Status with { Err = sentence } });
        }
    }
}
