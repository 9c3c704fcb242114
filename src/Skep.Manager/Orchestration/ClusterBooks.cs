using Skep.Manager.Allocation;
using Skep.Manager.Scheduling;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>
/// What the stages must find without searching: addresses, ports and identifiers in use, what runs where, what waits. Every entry
/// is keyed by its owner, so to set the same object twice changes nothing: a pass writes ahead of its commit, the store's
/// events repeat it, and a refused commit is taken back by setting the stored objects again. Any leader rebuilds them from a view.
/// </summary>
public sealed class ClusterBooks
{
    public AddressBook Addresses { get; } = new();
    public PortBook Ports { get; } = new();
    public VniBook Vnis { get; } = new();
    public NodeBook Nodes { get; } = new();

    /// <summary>Ids of tasks that wait for their addresses.</summary>
    public HashSet<string> Unallocated { get; } = [];

    /// <summary>Ids of tasks that wait for a node, or for their own node to be checked.</summary>
    public HashSet<string> Unplaced { get; } = [];

    public void Rebuild(StoreView view)
    {
        foreach (var value in view.Networks.Values.Cast<SwarmObject>()
            .Concat(view.Nodes.Values)
            .Concat(view.Services.Values)
            .Concat(view.Tasks.Values))
        {
            Set(value);
        }
    }

    public void Apply(StoreEvent change)
    {
        if (change.New is { } value)
        {
            Set(value);
        }
        else
        {
            Drop(change.Subject);
        }
    }

    public void Set(SwarmObject value)
    {
        switch (value)
        {
            case SwarmNetwork network:
                Addresses.SetNetwork(network);
                Vnis.Set(network);
                break;
            case SwarmNode node:
                Addresses.Set(node);
                Nodes.Set(node);
                break;
            case SwarmService service:
                Addresses.Set(service);
                Ports.Set(service);
                break;
            case SwarmTask task:
                Addresses.Set(task);
                Nodes.Set(task);
                Keep(Unallocated, task, task is { Status.State: TaskState.New, DesiredState: <= TaskState.Running });
                Keep(Unplaced, task, task is { Status.State: TaskState.Pending, DesiredState: <= TaskState.Running });
                break;
        }
    }

    public void Drop(SwarmObject value)
    {
        switch (value)
        {
            case SwarmNetwork network:
                Addresses.DropNetwork(network.Id);
                Vnis.Drop(network.Id);
                break;
            case SwarmNode node:
                Addresses.Release(node.Id);
                Nodes.DropNode(node.Id);
                break;
            case SwarmService service:
                Addresses.Release(service.Id);
                Ports.Drop(service.Id);
                break;
            case SwarmTask task:
                Addresses.Release(task.Id);
                Nodes.DropTask(task.Id);
                Unallocated.Remove(task.Id);
                Unplaced.Remove(task.Id);
                break;
        }
    }

    /// <summary>Takes back what a pass wrote ahead: <paramref name="changes"/> were not committed, <paramref name="view"/> stands.</summary>
    public void Revert(IEnumerable<StoreChange> changes, StoreView view)
    {
        foreach (var value in changes.Select(c => c.Value))
        {
            if (view.Find(value.Kind, value.Id) is { } stored)
            {
                Set(stored);
            }
            else
            {
                Drop(value);
            }
        }
    }

    private static void Keep(HashSet<string> set, SwarmTask task, bool member)
    {
        if (member)
        {
            set.Add(task.Id);
        }
        else
        {
            set.Remove(task.Id);
        }
    }
}
