using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Gives up tasks whose node will not tell how they ended: at once when the node was removed from the swarm, a day after it
/// went down otherwise. Until then a task of a lost node keeps its last state, and its addresses.
/// </summary>
public sealed class NodeLosses
{
    public static readonly TimeSpan OrphanAfter = TimeSpan.FromHours(24);
    private readonly Dictionary<string, DateTimeOffset> _downSince = [];

    /// <summary>Looks at the nodes that changed; returns when one has to be looked at again.</summary>
    public DateTimeOffset? Note(WorkingSet work, IEnumerable<string> nodeIds)
    {
        foreach (var id in nodeIds)
        {
            if (work.Node(id) is { Status.State: NodeState.Down } down)
            {
                _downSince.TryAdd(id, down.UpdatedAt == default ? work.Now : down.UpdatedAt);
            }
            else
            {
                _downSince.Remove(id);
            }
        }

        return _downSince.Count == 0 ? null : _downSince.Values.Select(t => t + OrphanAfter).Where(t => t > work.Now).Cast<DateTimeOffset?>().Min();
    }

    /// <summary>Nodes that are down for so long that their tasks are given up.</summary>
    public IEnumerable<string> GivenUp(DateTimeOffset now) => _downSince.Where(d => now - d.Value >= OrphanAfter).Select(d => d.Key);

    public void GiveUp(WorkingSet work, SwarmTask task)
    {
        if (task.NodeId.Length == 0 || task.DesiredState <= TaskState.Running || task.Status.State is < TaskState.Assigned or > TaskState.Running)
        {
            return;
        }

        var gone = work.Node(task.NodeId) is null;
        if (gone || (_downSince.TryGetValue(task.NodeId, out var since) && work.Now - since >= OrphanAfter))
        {
            work.Update(task with
            {
                Status = task.Status with
                {
                    State = TaskState.Orphaned,
                    Message = gone ? "node was removed from the swarm" : "node is down for too long",
                    Timestamp = work.Now,
                    AppliedAt = work.Now,
                },
            });
        }
    }
}
