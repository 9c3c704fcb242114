using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>What changed since the last pass that was committed: the next one looks at this and at nothing else.</summary>
public sealed class Dirt
{
    public HashSet<string> Networks { get; } = [];
    public HashSet<string> Nodes { get; } = [];
    public HashSet<string> Services { get; } = [];

    /// <summary>Nodes whose tasks' networks may have changed.</summary>
    public HashSet<string> Balancers { get; } = [];

    /// <summary>Tasks of no service that may have to be forgotten.</summary>
    public HashSet<string> LooseTasks { get; } = [];

    /// <summary>Something changed that could make room for a task that fitted nowhere.</summary>
    public bool Placement { get; set; }

    /// <summary>Something changed that could give an address to a task or service that got none.</summary>
    public bool Addresses { get; set; }

    public bool IsEmpty => Networks.Count == 0 && Nodes.Count == 0 && Services.Count == 0 && LooseTasks.Count == 0 && Balancers.Count == 0 && !Placement && !Addresses;

    /// <summary>Everything: how a new leader begins.</summary>
    public static Dirt All(StoreView view)
    {
        var dirt = new Dirt { Placement = true, Addresses = true };
        dirt.Networks.UnionWith(view.Networks.Keys);
        dirt.Nodes.UnionWith(view.Nodes.Keys);
        dirt.Balancers.UnionWith(view.Nodes.Values.Where(HasBalancers).Select(n => n.Id));
        dirt.Services.UnionWith(view.Services.Keys);
        foreach (var task in view.Tasks.Values)
        {
            dirt.Mark(task);
        }

        return dirt;
    }

    public void Mark(StoreEvent change, StoreView view)
    {
        switch (change.Subject)
        {
            case SwarmCluster:
                Services.UnionWith(view.Services.Keys);
                break;
            case SwarmNetwork network:
                Mark(network, change, view);
                break;
            case SwarmNode node when change.Old is not SwarmNode old || change.New is null || NodeFacts.Differ(old, node):
                Mark(node, view);
                break;
            case SwarmService service:
                Services.Add(service.Id);
                Addresses |= change.New is null;
                break;
            case SwarmTask task when IsNews(change.Old as SwarmTask, change.New as SwarmTask):
                Mark(task);
                MarkBalancers(change.Old as SwarmTask, view);
                MarkBalancers(change.New as SwarmTask, view);
                var over = change.New is null || task.Status.State > TaskState.Running;
                Placement |= over || task.DesiredState > TaskState.Running;
                Addresses |= over;
                break;
        }
    }

    private static bool IsNews(SwarmTask? old, SwarmTask? now) =>
        old is null || now is null || old.Status.State != now.Status.State || old.DesiredState != now.DesiredState || old.NodeId != now.NodeId;

    private static bool HasBalancers(SwarmNode node) =>
        node.BalancerAddresses is not null || node.Description?.DataPlane == NodeDescription.ClassicDataPlane;

    private void MarkBalancers(SwarmTask? task, StoreView view)
    {
        if (task is { NodeId.Length: > 0, Attachments.Count: > 0 } && view.Nodes.GetValueOrDefault(task.NodeId) is { } node && HasBalancers(node))
        {
            Balancers.Add(node.Id);
        }
    }

    private void Mark(SwarmTask task)
    {
        if (task.ServiceId.Length > 0)
        {
            Services.Add(task.ServiceId);
        }
        else
        {
            LooseTasks.Add(task.Id);
        }
    }

    private void Mark(SwarmNetwork network, StoreEvent change, StoreView view)
    {
        Addresses = true;
        Networks.Add(network.Id);
        if (change.New is null)
        {
            Networks.UnionWith(view.Networks.Values.Where(n => n.AllocationError is not null).Select(n => n.Id));
        }

        if (network.Spec.Ingress)
        {
            Nodes.UnionWith(view.Nodes.Keys);
        }
    }

    private void Mark(SwarmNode node, StoreView view)
    {
        Nodes.Add(node.Id);
        Balancers.Add(node.Id);
        Placement = true;
        Services.UnionWith(view.Services.Values.Where(s => s.Spec.Mode.Global is not null).Select(s => s.Id));
        foreach (var task in view.TasksOnNode(node.Id))
        {
            Mark(task);
        }
    }
}
