using Google.Protobuf;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.States;
using Skep.Protocol.Node;
using Skep.Protocol.Records;

namespace Skep.Manager.Dispatch;

/// <summary>
/// What every node is to know, kept up to date commit by commit. A commit costs what it changes: the records of a network are
/// made once and shared by all nodes that take part in it. Used by one thread at a time.
/// </summary>
internal sealed class AssignmentIndex
{
    private readonly Dictionary<string, NetworkAssignments> _networks = [];
    private readonly Dictionary<string, Dictionary<string, ByteString>> _tasks = [];
    private readonly Dictionary<string, PlanPeer> _nodes = [];

    public ulong Revision { get; private set; }

    public static AssignmentIndex Build(StoreView view)
    {
        var index = new AssignmentIndex();
        var everything = view.Networks.Values.Cast<SwarmObject>()
            .Concat(view.Nodes.Values).Concat(view.Services.Values).Concat(view.Tasks.Values)
            .Select(value => new StoreEvent(null, value));
        index.Apply(new StoreCommit(view, [.. everything]));
        return index;
    }

    /// <summary>Takes over one commit.</summary>
    /// <returns>Per node the changes of its assignment; nodes without changes are not in it.</returns>
    public Dictionary<string, List<AssignmentChange>> Apply(StoreCommit commit)
    {
        var delta = new AssignmentDelta(_networks);
        foreach (var change in commit.Events.OrderBy(Turn))
        {
            switch (change.Subject)
            {
                case SwarmNetwork: NetworkChanged(change.New as SwarmNetwork, change.Subject.Id, delta); break;
                case SwarmNode: NodeChanged(change.New as SwarmNode, change.Subject.Id, delta); break;
                case SwarmService: ServiceChanged(change.Old as SwarmService, change.New as SwarmService, commit.View, delta); break;
                case SwarmTask: TaskChanged(change.Old as SwarmTask, change.New as SwarmTask, delta); break;
            }
        }

        Revision = commit.View.Revision;
        return delta.Finish();
    }

    /// <summary>What others refer to comes first and goes last, in whatever order a commit has it.</summary>
    private static int Turn(StoreEvent change)
    {
        var rank = change.Subject switch { SwarmNetwork => 0, SwarmNode => 1, SwarmService => 2, _ => 3 };
        return change.New is null ? 7 - rank : rank;
    }

    /// <summary>The whole assignment of a node.</summary>
    public List<AssignmentChange> Full(string nodeId)
    {
        var all = new List<AssignmentChange>();
        foreach (var network in _networks.Values.Where(n => n.Known && n.Includes(nodeId)))
        {
            all.AddRange(network.Records());
        }

        if (_tasks.TryGetValue(nodeId, out var tasks))
        {
            all.AddRange(tasks.Select(t => Change(AssignmentKind.Task, "", t.Key, t.Value)));
        }

        return all;
    }

    internal static AssignmentChange Change(AssignmentKind kind, string networkId, string id, ByteString record) =>
        new() { Kind = kind, NetworkId = networkId, Id = id, Record = record };

    private NetworkAssignments Network(string id)
    {
        if (!_networks.TryGetValue(id, out var network))
        {
            _networks[id] = network = new NetworkAssignments(id);
        }

        return network;
    }

    private void NetworkChanged(SwarmNetwork? network, string id, AssignmentDelta delta)
    {
        if (network is null || network.Vni == 0)
        {
            if (_networks.TryGetValue(id, out var gone))
            {
                delta.NetworkGone(gone);
                Tidy(gone);
            }

            return;
        }

        var assignments = Network(id);
        assignments.Ingress = network.Spec.Ingress;
        var wasKnown = assignments.Known;
        var record = RecordCodec.Encode(PlanRecordsOf.Network(network), RecordJson.Default.PlanNetwork);
        delta.Put(assignments, AssignmentKind.Network, id, ByteString.CopyFrom(record));
        if (!wasKnown)
        {
            delta.NetworkKnown(assignments);
        }

        if (network.Spec.Ingress)
        {
            foreach (var node in _nodes.Values)
            {
                Join(assignments, node.NodeId, delta);
            }
        }
    }

    private void NodeChanged(SwarmNode? node, string id, AssignmentDelta delta)
    {
        if (node is null)
        {
            _nodes.Remove(id);
            _tasks.Remove(id);
            foreach (var network in _networks.Values.Where(n => n.Includes(id)).ToList())
            {
                delta.Leave(network, id);
                Tidy(network);
            }

            return;
        }

        _nodes[id] = PlanRecordsOf.Peer(node);
        foreach (var network in _networks.Values)
        {
            if (network.Ingress || network.IsHeldBy(id))
            {
                Join(network, id, delta);
            }
        }
    }

    /// <summary>The node takes part in the network from now on; also refreshes what the others know of it.</summary>
    private void Join(NetworkAssignments network, string nodeId, AssignmentDelta delta)
    {
        if (!_nodes.TryGetValue(nodeId, out var peer))
        {
            return;
        }

        delta.Join(network, nodeId);
        if (peer.Vtep.Length > 0)
        {
            peer = peer with { NetworkId = network.Id, IngressAddress = network.Ingress ? peer.IngressAddress : null };
            delta.Put(network, AssignmentKind.Peer, nodeId, ByteString.CopyFrom(RecordCodec.Encode(peer, RecordJson.Default.PlanPeer)));
        }
    }

    private void ServiceChanged(SwarmService? old, SwarmService? now, StoreView view, AssignmentDelta delta)
    {
        var wanted = now is null ? [] : PlanRecordsOf.Services(now, id => view.Networks.TryGetValue(id, out var n) && n.Spec.Ingress);
        foreach (var service in wanted)
        {
            var record = RecordCodec.Encode(service, RecordJson.Default.PlanService);
            delta.Put(Network(service.NetworkId), AssignmentKind.Service, service.ServiceId, ByteString.CopyFrom(record));
        }

        if (old is not null)
        {
            foreach (var gone in PlanRecordsOf.NetworksOf(old).Except(wanted.Select(s => s.NetworkId)))
            {
                Drop(gone, AssignmentKind.Service, old.Id, delta);
            }
        }
    }

    private void TaskChanged(SwarmTask? old, SwarmTask? now, AssignmentDelta delta)
    {
        if (old is { NodeId.Length: > 0 } && old.Status.State >= TaskState.Assigned 
            && (now?.NodeId != old.NodeId || now.Status.State < TaskState.Assigned))
        {
            DropTask(old, delta);
        }

        if (now is not { NodeId.Length: > 0 } || now.Status.State < TaskState.Assigned)
        {
            return;
        }

        PutTask(old, now, delta);
        if (now.Status.State > TaskState.Running)
        {
            DropEndpoints(now, now.Attachments, delta);
            return;
        }

        if (old is not null && old.NodeId == now.NodeId)
        {
            DropEndpoints(old, old.Attachments.Where(a => now.Attachments.All(n => n.NetworkId != a.NetworkId)), delta);
        }

        foreach (var attachment in now.Attachments)
        {
            var network = Network(attachment.NetworkId);
            if (network.Hold(now.NodeId, now.Id))
            {
                Join(network, now.NodeId, delta);
            }

            var record = RecordCodec.Encode(PlanRecordsOf.Endpoint(now, attachment), RecordJson.Default.PlanEndpoint);
            delta.Put(network, AssignmentKind.Endpoint, now.Id, ByteString.CopyFrom(record));
        }
    }

    /// <summary>The agent is told of a task when it gets it and when another state is wished for; what it reported itself is not sent back.</summary>
    private void PutTask(SwarmTask? old, SwarmTask now, AssignmentDelta delta)
    {
        if (!_tasks.TryGetValue(now.NodeId, out var tasks))
        {
            _tasks[now.NodeId] = tasks = [];
        }

        var record = ByteString.CopyFrom(RecordCodec.Encode(now));
        var known = tasks.ContainsKey(now.Id);
        tasks[now.Id] = record;
        if (!known || old is null || old.DesiredState != now.DesiredState)
        {
            delta.PutTask(now.NodeId, now.Id, record);
        }
    }

    private void DropTask(SwarmTask task, AssignmentDelta delta)
    {
        if (_tasks.TryGetValue(task.NodeId, out var tasks) && tasks.Remove(task.Id))
        {
            delta.PutTask(task.NodeId, task.Id, ByteString.Empty);
        }

        DropEndpoints(task, task.Attachments, delta);
    }

    private void DropEndpoints(SwarmTask task, IEnumerable<TaskAttachment> attachments, AssignmentDelta delta)
    {
        foreach (var attachment in attachments)
        {
            if (_networks.TryGetValue(attachment.NetworkId, out var network) && network.Release(task.NodeId, task.Id) && !network.Ingress)
            {
                delta.Leave(network, task.NodeId);
            }

            Drop(attachment.NetworkId, AssignmentKind.Endpoint, task.Id, delta);
        }
    }

    private void Drop(string networkId, AssignmentKind kind, string id, AssignmentDelta delta)
    {
        if (_networks.TryGetValue(networkId, out var network))
        {
            delta.Drop(network, kind, id);
            Tidy(network);
        }
    }

    /// <summary>A network that is gone is forgotten with the last that named it.</summary>
    private void Tidy(NetworkAssignments network)
    {
        if (network.IsEmpty)
        {
            _networks.Remove(network.Id);
        }
    }
}
