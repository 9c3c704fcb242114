using System.Collections.Immutable;
using Google.Protobuf;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Rules;
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
    private const string KeysId = "keys";

    private readonly Dictionary<string, NetworkAssignments> _networks = [];
    private readonly Dictionary<string, Dictionary<string, ByteString>> _tasks = [];
    private readonly PeerBook _nodes = new();
    private readonly Dictionary<string, List<string>> _services = [];
    private readonly ServicePolicies _policies = new();
    private (ImmutableDictionary<string, SwarmNetwork>? View, string? Id) _ingress;

    private Func<ClusterKeyring, PlanKeyring>? _open;
    private ByteString _keys = ByteString.Empty;
    private ClusterKeyring? _keyring;

    public ulong Revision { get; private set; }

    /// <summary>The revision that brought the present keys.</summary>
    public ulong KeysSince { get; private set; }

    /// <summary>The nodes that have a place on an encrypted network.</summary>
    public IReadOnlySet<string> KeyHolders => _networks.Values.Where(n => n.Encrypted).SelectMany(n => n.Members).ToHashSet(StringComparer.Ordinal);

    /// <param name="view">What is known.</param>
    /// <param name="open">Opens the keys of encrypted networks; null where there are none to be told.</param>
    public static AssignmentIndex Build(StoreView view, Func<ClusterKeyring, PlanKeyring>? open = null)
    {
        var index = new AssignmentIndex { _open = open };
        var everything = view.Networks.Values.Cast<SwarmObject>()
            .Concat(view.Nodes.Values).Concat(view.Services.Values).Concat(view.Tasks.Values)
            .Concat(view.Cluster is { } cluster ? [cluster] : [])
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
                case SwarmCluster: ClusterChanged(change.New as SwarmCluster, commit.View.Revision, delta); break;
                case SwarmNetwork: NetworkChanged(change.New as SwarmNetwork, change.Subject.Id, commit.View, delta); break;
                case SwarmNode: NodeChanged(change.Old as SwarmNode, change.New as SwarmNode, commit.View, delta); break;
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
        var rank = change.Subject switch { SwarmCluster or SwarmNetwork => 0, SwarmNode => 1, SwarmService => 2, _ => 3 };
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

    /// <summary>The nodes that balance to the task: all that take part in one of its networks.</summary>
    public IEnumerable<string> BalancersOf(SwarmTask task) => task.Attachments
        .SelectMany(a => _networks.TryGetValue(a.NetworkId, out var network) ? network.Members : [])
        .Distinct();

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

    private void NetworkChanged(SwarmNetwork? network, string id, StoreView view, AssignmentDelta delta)
    {
        if (network is null || network.Vni == 0)
        {
            if (_networks.TryGetValue(id, out var gone))
            {
                delta.NetworkGone(gone);
                gone.Drop(AssignmentKind.Keys, KeysId);
                Tidy(gone);
            }

            return;
        }

        var assignments = Network(id);
        assignments.Ingress = network.Spec.Ingress;
        assignments.Encrypted = EncryptionRules.IsEncrypted(network.Spec);
        var wasKnown = assignments.Known;
        var record = RecordCodec.Encode(PlanRecordsOf.Network(network), RecordJson.Default.PlanNetwork);
        delta.Put(assignments, AssignmentKind.Network, id, ByteString.CopyFrom(record));
        if (!wasKnown)
        {
            delta.NetworkKnown(assignments);
        }

        if (assignments.Encrypted)
        {
            PutKeys(assignments, delta);
        }

        if (network.Spec.Ingress)
        {
            foreach (var node in _nodes.Nodes)
            {
                Join(assignments, node, delta);
            }

            PutRestricted(view, delta);
        }
    }

    private void ClusterChanged(SwarmCluster? cluster, ulong revision, AssignmentDelta delta)
    {
        if (ReferenceEquals(cluster?.Keyring, _keyring) || _open is null)
        {
            return;
        }

        _keyring = cluster?.Keyring;
        var record = _keyring is null ? ByteString.Empty : ByteString.CopyFrom(RecordCodec.Encode(_open(_keyring), RecordJson.Default.PlanKeyring));
        if (!record.Equals(_keys))
        {
            (_keys, KeysSince) = (record, revision);
            foreach (var network in _networks.Values.Where(n => n.Encrypted))
            {
                PutKeys(network, delta);
            }
        }
    }

    private void PutKeys(NetworkAssignments network, AssignmentDelta delta)
    {
        if (_keys.IsEmpty)
        {
            delta.Drop(network, AssignmentKind.Keys, KeysId);
        }
        else
        {
            delta.Put(network, AssignmentKind.Keys, KeysId, _keys);
        }
    }

    private void NodeChanged(SwarmNode? old, SwarmNode? node, StoreView view, AssignmentDelta delta)
    {
        var id = (node ?? old)!.Id;
        if (old is null || node is null || ServicePolicies.Differ(old, node))
        {
            PutRestricted(view, delta);
        }

        if (node is null)
        {
            _nodes.Remove(id);
            ReplaceTasks(id, view, delta);
            _tasks.Remove(id);
            foreach (var network in _networks.Values.Where(n => n.Includes(id)).ToList())
            {
                delta.Leave(network, id);
                Tidy(network);
            }
        }
        else
        {
            var wasUp = _nodes.IsUp(id);
            _nodes.Set(node);
            if (_nodes.IsUp(id) != wasUp)
            {
                ReplaceTasks(id, view, delta);
            }

            Join(id, delta);
        }

        foreach (var other in _nodes.DownAt(old, node))
        {
            Join(other, delta);
        }
    }

    /// <summary>The node went down, came back or is gone: what becomes of those of its tasks that are to end depends on it.</summary>
    private void ReplaceTasks(string nodeId, StoreView view, AssignmentDelta delta)
    {
        foreach (var taskId in _tasks.GetValueOrDefault(nodeId)?.Keys.ToList() ?? [])
        {
            if (view.Tasks.TryGetValue(taskId, out var task) && task.NodeId == nodeId && task.Status.State >= TaskState.Assigned)
            {
                PutEndpoints(task, delta);
            }
        }
    }

    private void Join(string nodeId, AssignmentDelta delta)
    {
        foreach (var network in _networks.Values)
        {
            if (network.Ingress || network.IsHeldBy(nodeId))
            {
                Join(network, nodeId, delta);
            }
        }
    }

    /// <summary>The node takes part in the network from now on; also refreshes what the others know of it.</summary>
    private void Join(NetworkAssignments network, string nodeId, AssignmentDelta delta)
    {
        if (!_nodes.Knows(nodeId))
        {
            return;
        }

        delta.Join(network, nodeId);
        if (_nodes.On(network, nodeId) is { } peer)
        {
            delta.Put(network, AssignmentKind.Peer, nodeId, ByteString.CopyFrom(RecordCodec.Encode(peer, RecordJson.Default.PlanPeer)));
        }
        else
        {
            delta.Drop(network, AssignmentKind.Peer, nodeId);
        }
    }

    private void ServiceChanged(SwarmService? old, SwarmService? now, StoreView view, AssignmentDelta delta)
    {
        var others = _policies.Changed(old, now, view);
        PutService((now ?? old)!.Id, view, delta);
        foreach (var other in others)
        {
            PutService(other, view, delta);
        }
    }

    /// <summary>Where their ports listen depends on the nodes.</summary>
    private void PutRestricted(StoreView view, AssignmentDelta delta)
    {
        foreach (var id in _policies.Restricted)
        {
            PutService(id, view, delta);
        }
    }

    private void PutService(string id, StoreView view, AssignmentDelta delta)
    {
        var wanted = view.Services.TryGetValue(id, out var service)
            ? PlanRecordsOf.Services(service, IngressOf(view), _policies.BalanceOf(service, view), ServicePolicies.AccessOf(service, view))
            : [];
        foreach (var record in wanted)
        {
            var bytes = RecordCodec.Encode(record, RecordJson.Default.PlanService);
            delta.Put(Network(record.NetworkId), AssignmentKind.Service, id, ByteString.CopyFrom(bytes));
        }

        foreach (var gone in _services.GetValueOrDefault(id, []).Except(wanted.Select(s => s.NetworkId)))
        {
            Drop(gone, AssignmentKind.Service, id, delta);
        }

        _services.Remove(id);
        if (wanted.Count > 0)
        {
            _services[id] = [.. wanted.Select(s => s.NetworkId)];
        }
    }

    private string? IngressOf(StoreView view)
    {
        if (_ingress.View != view.Networks)
        {
            _ingress = (view.Networks, view.Networks.Values.FirstOrDefault(n => n.Spec.Ingress)?.Id);
        }

        return _ingress.Id;
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
        if (old is not null && old.NodeId == now.NodeId)
        {
            DropEndpoints(old, old.Attachments.Where(a => now.Attachments.All(n => n.NetworkId != a.NetworkId)), delta);
        }

        PutEndpoints(now, delta);
    }

    /// <summary>
    /// Its places on networks. One that is to end on a node that is down or gone has none: another has taken its turn, and nobody there will ever say that it
    /// ended; its flows are to be refused, not sent into silence. One that is wished to run may well do so, and keeps them.
    /// </summary>
    private void PutEndpoints(SwarmTask task, AssignmentDelta delta)
    {
        if (task.Status.State > TaskState.Running || (task.DesiredState > TaskState.Running && !_nodes.IsUp(task.NodeId)))
        {
            DropEndpoints(task, task.Attachments, delta);
            return;
        }

        foreach (var attachment in task.Attachments)
        {
            var network = Network(attachment.NetworkId);
            if (network.Hold(task.NodeId, task.Id))
            {
                Join(network, task.NodeId, delta);
            }

            var record = RecordCodec.Encode(PlanRecordsOf.Endpoint(task, attachment), RecordJson.Default.PlanEndpoint);
            delta.Put(network, AssignmentKind.Endpoint, task.Id, ByteString.CopyFrom(record));
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
