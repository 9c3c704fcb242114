using System.Collections.Immutable;
using System.Net;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>One overlay network as this node must carry it: the plan's share and the sandboxes attached here.</summary>
internal sealed class NetworkView
{
    private const int VxlanOverhead = 50;
    private readonly NodeView _node;

    public NetworkView(NodeView node, PlanNetwork network)
    {
        _node = node;
        Network = network;
        Plan = node.Plan.Networks.GetValueOrDefault(network.Id) ?? new NetworkPlan(network);
        Locals = [.. node.Sandboxes.Values.Where(s => s.Request.Attachments.Any(a => a.Network.Id == network.Id))];
    }

    public PlanNetwork Network { get; }
    public NetworkPlan Plan { get; }

    /// <summary>The sandboxes of this node that are attached, in order of their ids.</summary>
    public ImmutableArray<LocalSandbox> Locals { get; }

    public NodeFacts Facts => _node.Facts;
    public ushort DataPathPort => _node.Plan.DataPathPort;
    public string SpaceName => SpaceNames.OfNetwork(_node.Facts.SpaceNumbers.GetValueOrDefault(Network.Id, 1), Network.Id);
    public int Mtu => Network.Mtu ?? (_node.Facts.UnderlayMtu - VxlanOverhead);
    public IEnumerable<(IPAddress Address, int PrefixLength)> Gateways => Network.Subnets.Select(Addressing.GatewayOf);

    /// <summary>The address of this node's ingress_sbox as a prefix; null on all networks but ingress, and before the managers gave one.</summary>
    public string? OwnIngressAddress =>
        Network.Ingress ? Plan.Peers.GetValueOrDefault(_node.Plan.NodeId)?.IngressAddress : null;

    /// <summary>Every address that another node's tasks and ingress_sbox have here, with the node's tunnel end; in order.</summary>
    public IEnumerable<(IPAddress Address, string Mac, IPAddress Vtep)> Remotes()
    {
        // An encrypted network's packets may not leave in the clear; without remote places they do not leave at all.
        if (Network.Encrypted)
        {
            return [];
        }

        var remotes = new SortedDictionary<string, (IPAddress, string, IPAddress)>(StringComparer.Ordinal);
        foreach (var endpoint in Plan.Endpoints.Values.Where(e => e.NodeId != _node.Plan.NodeId))
        {
            if (Plan.Peers.TryGetValue(endpoint.NodeId, out var peer))
            {
                Add(endpoint.Addresses, peer);
            }
        }

        foreach (var peer in Plan.Peers.Values.Where(p => p.NodeId != _node.Plan.NodeId && p.IngressAddress is not null))
        {
            Add([peer.IngressAddress!], peer);
        }

        return remotes.Values;

        void Add(IReadOnlyList<string> addresses, PlanPeer peer)
        {
            if (addresses.Count == 0)
            {
                return;
            }

            var mac = Addressing.MacOf(Addressing.AddressOf(addresses[0]));
            foreach (var address in addresses.Select(Addressing.AddressOf))
            {
                remotes[address.ToString()] = (address, mac, Addressing.AddressOf(peer.Vtep));
            }
        }
    }

    /// <summary>The addresses that a sandbox has on this network.</summary>
    public IReadOnlyList<string> AddressesOf(LocalSandbox sandbox) =>
        sandbox.Request.Attachments.First(a => a.Network.Id == Network.Id).Addresses;

    /// <summary>The addresses of one family to which a service's new flows go, in an order that does not change with time.</summary>
    public IEnumerable<IPAddress> ActiveBackends(string serviceId, System.Net.Sockets.AddressFamily family) =>
        Plan.Endpoints.Values
            .Where(e => e.ServiceId == serviceId && e.State == EndpointState.Active)
            .OrderBy(e => e.TaskId, StringComparer.Ordinal)
            .SelectMany(e => e.Addresses.Select(Addressing.AddressOf).Where(a => a.AddressFamily == family).Take(1));
}
