using Google.Protobuf;
using Skep.Protocol.Node;

namespace Skep.Manager.Dispatch;

/// <summary>Collects what one commit changes for each node. A node that joins a network gets all of it, once.</summary>
internal sealed class AssignmentDelta(IReadOnlyDictionary<string, NetworkAssignments> networks)
{
    private readonly Dictionary<string, List<AssignmentChange>> _tasks = [];
    private readonly List<(NetworkAssignments Network, AssignmentChange Change)> _changes = [];
    private readonly HashSet<(string Network, string Node)> _joined = [];
    private readonly List<(string Node, AssignmentChange Change)> _left = [];

    public void Put(NetworkAssignments network, AssignmentKind kind, string id, ByteString record)
    {
        if (network.Put(kind, id, record))
        {
            _changes.Add((network, AssignmentIndex.Change(kind, network.Id, id, record)));
        }
    }

    public void Drop(NetworkAssignments network, AssignmentKind kind, string id)
    {
        if (network.Drop(kind, id))
        {
            _changes.Add((network, AssignmentIndex.Change(kind, network.Id, id, ByteString.Empty)));
        }
    }

    /// <summary>The network has just become known: who takes part gets all of it.</summary>
    public void NetworkKnown(NetworkAssignments network)
    {
        foreach (var node in network.Members)
        {
            _joined.Add((network.Id, node));
        }
    }

    public void Join(NetworkAssignments network, string nodeId)
    {
        if (network.AddMember(nodeId))
        {
            _joined.Add((network.Id, nodeId));
        }
    }

    public void Leave(NetworkAssignments network, string nodeId)
    {
        if (network.RemoveMember(nodeId))
        {
            if (!_joined.Remove((network.Id, nodeId)) && network.Known)
            {
                _left.Add((nodeId, AssignmentIndex.Change(AssignmentKind.Network, network.Id, network.Id, ByteString.Empty)));
            }

            Drop(network, AssignmentKind.Peer, nodeId);
        }
    }

    public void NetworkGone(NetworkAssignments network)
    {
        if (!network.Drop(AssignmentKind.Network, network.Id))
        {
            return;
        }

        // Who has joined within this commit was never told of it.
        foreach (var node in network.Members.Where(n => !_joined.Remove((network.Id, n))))
        {
            _left.Add((node, AssignmentIndex.Change(AssignmentKind.Network, network.Id, network.Id, ByteString.Empty)));
        }
    }

    public void PutTask(string nodeId, string taskId, ByteString record) =>
        Of(_tasks, nodeId).Add(AssignmentIndex.Change(AssignmentKind.Task, "", taskId, record));

    /// <summary>Changes per node: networks that were left, then networks whole or in part, then tasks, which need them.</summary>
    public Dictionary<string, List<AssignmentChange>> Finish()
    {
        var all = new Dictionary<string, List<AssignmentChange>>();
        foreach (var (node, change) in _left)
        {
            Of(all, node).Add(change);
        }

        foreach (var (networkId, node) in _joined)
        {
            if (networks.TryGetValue(networkId, out var network) && network.Known)
            {
                Of(all, node).AddRange(network.Records());
            }
        }

        foreach (var (network, change) in _changes.Where(c => c.Network.Known))
        {
            foreach (var node in network.Members)
            {
                if (!_joined.Contains((network.Id, node)))
                {
                    Of(all, node).Add(change);
                }
            }
        }

        foreach (var (node, changes) in _tasks)
        {
            Of(all, node).AddRange(changes);
        }

        return all;
    }

    private static List<AssignmentChange> Of(Dictionary<string, List<AssignmentChange>> map, string node)
    {
        if (!map.TryGetValue(node, out var list))
        {
            map[node] = list = [];
        }

        return list;
    }
}
