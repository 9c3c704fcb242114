using System.Collections.Immutable;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.States;

namespace Skep.Manager.Dispatch;

/// <summary>
/// The nodes as others are told of them. A node that is down is told of as it was, for its tasks may live on behind a broken line; but not once
/// another has its address: that machine was made anew and joined again.
/// </summary>
internal sealed class PeerBook
{
    private readonly Dictionary<string, PlanPeer> _peers = [];
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _balancers = [];
    private readonly HashSet<string> _down = [];

    public IReadOnlyCollection<string> Nodes => _peers.Keys;

    public bool Knows(string nodeId) => _peers.ContainsKey(nodeId);

    /// <summary>Neither down nor gone.</summary>
    public bool IsUp(string nodeId) => _peers.ContainsKey(nodeId) && !_down.Contains(nodeId);

    public void Set(SwarmNode node)
    {
        _peers[node.Id] = PlanRecordsOf.Peer(node);
        _balancers[node.Id] = node.BalancerAddresses ?? ImmutableDictionary<string, string>.Empty;
        _ = node.Status.State == NodeState.Down ? _down.Add(node.Id) : _down.Remove(node.Id);
    }

    public void Remove(string nodeId)
    {
        _peers.Remove(nodeId);
        _balancers.Remove(nodeId);
        _down.Remove(nodeId);
    }

    /// <summary>What the members of a network are told of the node; null = nothing.</summary>
    public PlanPeer? On(NetworkAssignments network, string nodeId)
    {
        var peer = _peers[nodeId];
        if (peer.Vtep.Length == 0 || (_down.Contains(nodeId) && _peers.Values.Any(p => p.Vtep == peer.Vtep && !_down.Contains(p.NodeId))))
        {
            return null;
        }

        return network.Ingress
            ? peer with { NetworkId = network.Id }
            : peer with { NetworkId = network.Id, IngressAddress = null, IngressAddress6 = null, BalancerAddress = _balancers[nodeId].GetValueOrDefault(network.Id) };
    }

    /// <summary>The nodes that are down and have, or had, the address of this one.</summary>
    public IReadOnlyList<string> DownAt(SwarmNode? old, SwarmNode? now) =>
        [.. _down.Where(id => id != (now ?? old)!.Id && (_peers[id].Vtep == old?.DataPathAddress || _peers[id].Vtep == now?.DataPathAddress))];
}
