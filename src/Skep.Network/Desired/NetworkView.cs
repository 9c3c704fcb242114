using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>One overlay network as this node must carry it: the plan's share and the sandboxes attached here.</summary>
internal sealed class NetworkView
{
    // Ethernet, VXLAN and UDP are 30 bytes, IPv4 20, IPv6 40.
    private const int VxlanOverhead4 = 50;
    private const int VxlanOverhead6 = 70;

    // RFC 8200, section 5.
    private const int LeastMtuOfIPv6 = 1280;
    private readonly NodeView _node;
    private readonly Lazy<EndpointIndex> _endpoints;
    private readonly Lazy<int> _mtu;
    private readonly Lazy<ImmutableArray<AddressFamily>> _families;
    private readonly Lazy<ILookup<string, RefusingPort>> _refusing;
    private readonly Lazy<ILookup<string, AnsweringPort>> _answering;

    public NetworkView(NodeView node, PlanNetwork network)
        : this(node, network, null)
    {
    }

    private NetworkView(NodeView node, PlanNetwork network, EndpointIndex? endpoints)
    {
        _node = node;
        Network = network;
        _families = new(() => [.. network.Subnets.Select(s => s.Subnet).OfType<string>()
            .Select(s => Addressing.IsSix(s) ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork)
            .Where(f => f == AddressFamily.InterNetwork || (network.EnableIPv6 && node.Facts.IPv6 && !IsTooNarrow)).Distinct().Order()]);
        Plan = node.Plan.Networks.GetValueOrDefault(network.Id) ?? new NetworkPlan(network);
        Locals = [.. node.Sandboxes.Values.Where(s => s.Request.Attachments.Any(a => a.Network.Id == network.Id))];
        _mtu = new(() =>
        {
            var room = node.Facts.MtuTo(Plan.Peers.Keys.Where(id => id != node.Plan.NodeId)) - VxlanOverhead;
            return Math.Min(network.Mtu ?? int.MaxValue, network.Encrypted ? EspRoom.Within(room) : room);
        });
        _refusing = new(() => node.Health.Refusing.Where(r => r.NetworkId == network.Id).ToLookup(r => r.ServiceId, StringComparer.Ordinal));
        _answering = new(() => node.Health.Answering.Where(r => r.NetworkId == network.Id).ToLookup(r => r.ServiceId, StringComparer.Ordinal));
        _endpoints = endpoints is null ? new(() => EndpointIndex.Of(Plan)) : new(endpoints);
    }

    /// <summary>The same network in a newer plan, in which only these records of it may be others.</summary>
    public NetworkView Next(NodeView node, IReadOnlyCollection<PlanRecordKey> keys)
    {
        var plan = node.Plan.Networks.GetValueOrDefault(Network.Id);
        return new NetworkView(node, plan?.Network ?? Network, plan is null ? null : Endpoints.With(Plan, plan, keys));
    }

    public EndpointIndex Endpoints => _endpoints.Value;
    public PlanNetwork Network { get; }

    /// <summary>The families that the network has on this node, IPv4 first.</summary>
    public ImmutableArray<AddressFamily> Families => _families.Value;

    /// <summary>The ways to its nodes carry less than IPv6 needs: the kernel would refuse every IPv6 address, so the network has none here meanwhile.</summary>
    public bool IsTooNarrow => Network.EnableIPv6 && Mtu < LeastMtuOfIPv6;

    public NetworkPlan Plan { get; }

    /// <summary>Whether the managers have said who is on it; a sandbox may be attached before.</summary>
    public bool HasPlan => _node.Plan.Networks.ContainsKey(Network.Id);

    /// <summary>The sandboxes of this node that are attached, in order of their ids.</summary>
    public ImmutableArray<LocalSandbox> Locals { get; }

    public NodeFacts Facts => _node.Facts;
    public string NodeId => _node.Plan.NodeId;
    public ushort DataPathPort => Network.Encrypted ? _node.Plan.EncryptedPort : _node.Plan.DataPathPort;
    public string SpaceName => SpaceNames.OfNetwork(_node.Facts.SpaceNumbers.GetValueOrDefault(Network.Id, 1), Network.Id);
    private int VxlanOverhead => Facts.Vtep.AddressFamily == AddressFamily.InterNetwork ? VxlanOverhead4 : VxlanOverhead6;

    /// <summary>What the ways to all nodes of this network carry, and no more than the network's own option says.</summary>
    public int Mtu => _mtu.Value;

    public IEnumerable<(IPAddress Address, int PrefixLength)> Gateways =>
        Network.Subnets.Select(Addressing.GatewayOf).Where(g => Families.Contains(g.Address.AddressFamily));

    /// <summary>The address of this node's ingress_sbox as a prefix; null on all networks but ingress, and before the managers gave one.</summary>
    public string? OwnIngressAddress =>
        Network.Ingress ? Plan.Peers.GetValueOrDefault(_node.Plan.NodeId)?.IngressAddress : null;

    /// <summary>The same for IPv6; null also where the network or this node is of IPv4 alone.</summary>
    public string? OwnIngressAddress6 =>
        Network.Ingress && Has(AddressFamily.InterNetworkV6) ? Plan.Peers.GetValueOrDefault(_node.Plan.NodeId)?.IngressAddress6 : null;

    /// <summary>The families in which this node lets flows into the mesh: ingress_sbox has an address on both sides.</summary>
    public IEnumerable<AddressFamily> MeshFamilies => Families.Where(f => f == AddressFamily.InterNetwork
        ? OwnIngressAddress is not null
        : OwnIngressAddress6 is not null && Facts.IngressGatewayAddress6 is not null);

    public bool Has(AddressFamily family) => Families.Contains(family);

    /// <summary>Those of the families that the network has here, as they are written.</summary>
    public IEnumerable<string> Usable(IEnumerable<string> prefixes) => prefixes.Where(p => Has(Addressing.IsSix(p) ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork));

    /// <summary>The addresses that a sandbox has on this network.</summary>
    public IReadOnlyList<string> AddressesOf(LocalSandbox sandbox) =>
        sandbox.Request.Attachments.First(a => a.Network.Id == Network.Id).Addresses;

    /// <summary>The addresses of one family to which a service's new flows go in turn.</summary>
    public ImmutableArray<IPAddress> Backends(PlanService service, AddressFamily family) =>
        BackendSequence.Of(service, EndpointsOf(service), NodeId, family, _node.Ejected);

    /// <summary>The same without some that refuse.</summary>
    public ImmutableArray<IPAddress> Backends(PlanService service, AddressFamily family, IEnumerable<IPAddress> refusing) =>
        BackendSequence.Of(service, EndpointsOf(service), NodeId, family, _node.Ejected.Union(refusing));

    /// <summary>The ports of a service's backends that refuse.</summary>
    public IEnumerable<RefusingPort> Refusing(PlanService service) => service.ServedBy().SelectMany(id => _refusing.Value[id]);

    /// <summary>The ports that a backend of a service has answered on lately.</summary>
    public IEnumerable<(byte Protocol, ushort Port)> Answering(PlanService service) =>
        service.ServedBy().SelectMany(id => _answering.Value[id]).Select(a => (a.Protocol, a.Port)).Distinct();

    /// <summary>The addresses of one family that serve it or did until their tasks end, whatever their state: all that may have its flows.</summary>
    public IEnumerable<IPAddress> Members(PlanService service, AddressFamily family) =>
        service.ServedBy().SelectMany(id => Endpoints[id]).Select(e => BackendSequence.AddressOf(e, family)).OfType<IPAddress>();

    private IEnumerable<PlanEndpoint> EndpointsOf(PlanService service) =>
        service.ServedBy().SelectMany(id => Endpoints[id]).Where(e => !_node.Ended.Contains(e.TaskId));

    /// <summary>The addresses of one family that may have a service's datagrams: also those that come after local ones, none that drain.</summary>
    public IEnumerable<IPAddress> Serving(PlanService service, AddressFamily family) =>
        EndpointsOf(service)
            .Where(e => e.State == EndpointState.Active)
            .Select(e => BackendSequence.AddressOf(e, family))
            .OfType<IPAddress>()
            .Where(a => !_node.Ejected.Contains(a));
}
