using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Scheduling;

/// <summary>What every node has and what its tasks take of it. A task's share is replaced whole, so setting it twice changes nothing.</summary>
public sealed class NodeBook
{
    private readonly Dictionary<string, NodeView> _views = [];
    private readonly Dictionary<string, TaskShare> _shares = [];
    private NodeView[]? _sorted;

    public FailureLog Failures { get; } = new();

    /// <summary>The nodes that exist, in the order of their ids: the same state gives the same choice.</summary>
    public IReadOnlyList<NodeView> Nodes =>
        _sorted ??= [.. _views.Values.Where(v => v.Node is not null).OrderBy(v => v.Id, StringComparer.Ordinal)];

    public NodeView View(string nodeId)
    {
        if (!_views.TryGetValue(nodeId, out var view))
        {
            _views[nodeId] = view = new NodeView(nodeId);
        }

        return view;
    }

    public void Set(SwarmNode node)
    {
        var view = View(node.Id);
        if (view.Node is null)
        {
            _sorted = null;
        }

        view.Node = node;
    }

    public void DropNode(string nodeId)
    {
        if (_views.TryGetValue(nodeId, out var view))
        {
            view.Node = null;
            _sorted = null;
            if (view.Active == 0)
            {
                _views.Remove(nodeId);
            }
        }
    }

    public void Set(SwarmTask task)
    {
        Failures.Note(task);
        var next = TaskShare.Of(task);
        if (_shares.Remove(task.Id, out var old))
        {
            View(old.NodeId).Subtract(old);
        }

        if (next is not null)
        {
            View(next.NodeId).Add(next);
            _shares[task.Id] = next;
        }
    }

    public void DropTask(string taskId)
    {
        if (_shares.Remove(taskId, out var old))
        {
            View(old.NodeId).Subtract(old);
        }
    }
}

/// <summary>What one task takes of its node.</summary>
public sealed record TaskShare(string NodeId, string ServiceId, ResourceAmounts? Reservations)
{
    /// <summary>Reservations count while the task is wanted: its replacement may be placed while it still stops.</summary>
    public bool Active { get; private init; }

    /// <summary>Host ports count until the task is over: two processes cannot listen on one port.</summary>
    public IReadOnlyList<(string Protocol, uint Port)> HostPorts { get; private init; } = [];

    /// <summary>Null for a task that is nowhere, or over.</summary>
    public static TaskShare? Of(SwarmTask task) => task.NodeId.Length == 0 || task.Status.State is > TaskState.Running or < TaskState.Assigned
        ? null
        : new TaskShare(task.NodeId, task.ServiceId, task.Spec.Resources?.Reservations)
        {
            Active = task.DesiredState <= TaskState.Running,
            HostPorts = TaskNeeds.HostPortsOf(task),
        };
}
