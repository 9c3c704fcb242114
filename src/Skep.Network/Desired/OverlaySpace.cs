using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>An overlay network's namespace: a bridge with the gateway's address, the tunnel, a cable per local sandbox.</summary>
internal static class OverlaySpace
{
    private const string Bridge = "br0";
    private const string Tunnel = "vxlan0";

    public static WantedParts Of(NetworkView network)
    {
        var id = network.Network.Id;
        var shares = new ShareSet();
        shares.AddAll(ShareSource.Peer, id, network.Plan.Peers, p => Share(network, p));
        shares.AddAll(ShareSource.Service, id, network.Plan.Services, s => Share(network, s));
        shares.AddAll(ShareSource.Endpoint, id, network.Plan.Endpoints, e => Share(network, e));
        shares.AddAll(ShareSource.Sandbox, "", network.Locals.Select(l => KeyValuePair.Create(l.Request.ContainerId, l)), l => Share(network, l));
        return new WantedParts(Frame(network), shares.ToImmutable());
    }

    /// <summary>What a node adds: on the ingress network its ingress_sbox, and the cable by which its host lets flows in.</summary>
    public static WantedShare Share(NetworkView network, PlanPeer peer)
    {
        if (peer.IngressAddress is null)
        {
            // Only a node with the classic data plane has a place of its own on other networks.
            return peer.BalancerAddress is { } balancer && peer.NodeId != network.NodeId ? Remote(network, peer, [balancer]) : WantedShare.Empty;
        }

        string[] prefixes = peer.IngressAddress6 is null ? [peer.IngressAddress] : [peer.IngressAddress, peer.IngressAddress6];
        ImmutableArray<IPAddress> addresses = [.. network.Usable(prefixes).Select(Addressing.AddressOf)];
        var address = Addressing.AddressOf(peer.IngressAddress);
        var share = peer.NodeId == network.NodeId
            ? Local(network, new LocalEnd(SpaceNames.OverlayCable(0), WantedSpace.IngressSandbox, "eth0", Addressing.MacOf(address), addresses))
            : Remote(network, peer, prefixes);
        return network.Facts.Classic || share.IsEmpty ? share : WithEntry(share, network, peer, Addressing.EntryMacOf(address));
    }

    // Tasks answer to the MAC that let a flow in; nobody has its address as a neighbour.
    private static WantedShare WithEntry(WantedShare share, NetworkView network, PlanPeer peer, string mac) => peer.NodeId == network.NodeId
        ? share with
        {
            Links = share.Links.Add(new WantedLink(HostMesh.Port, network.Mtu) { Master = Bridge, Hairpin = true, Locked = true, MadeElsewhere = true }),
            Forwarding = share.Forwarding.Add(new WantedForwarding(HostMesh.Port, mac, null)),
        }
        : share with
        {
            Forwarding = share.Forwarding.AddRange(new WantedForwarding(Tunnel, mac, Addressing.AddressOf(peer.Vtep)), new WantedForwarding(Tunnel, mac, null)),
        };

    /// <summary>What a service adds: its VIPs, answered here, so that they can be pinged whatever becomes of its tasks. Ingress' VIPs are nobody's to use.</summary>
    public static WantedShare Share(NetworkView network, PlanService service)
    {
        if (network.Network.Ingress)
        {
            return WantedShare.Empty;
        }

        var balances = OverlayTables.Balances(network, service).ToList();
        var refusals = balances.Select(b => OverlayTables.Refusals(network, service, b)).ToList();
        var vips = network.Usable(service.Vips).Select(Addressing.AddressOf).ToLookup(a => a.AddressFamily);
        return new WantedShare
        {
            // The kernel walks all addresses of a link for each new one, and finds a route at once. Who asks for an IPv6 neighbour is answered
            // for addresses alone.
            Routes = [.. vips[AddressFamily.InterNetwork].Select(a => new WantedRoute(new IPNetwork(a, Addressing.BitsOf(a)), null, Bridge, WantedRoute.Local))],
            Addresses = [.. vips[AddressFamily.InterNetworkV6].Select(a => new WantedAddress(Bridge, a, Addressing.BitsOf(a)))],
            Balances = [.. balances, .. refusals.SelectMany(r => r.Detours)],
            Elements = [.. refusals.SelectMany(r => r.Retries), .. balances.SelectMany(b => MemberRules.Of(network, service, b))],
            Tables = [.. OverlayTables.Policies(network, service)],
        };
    }

    /// <summary>What another node's task adds: where it is. Tasks of this node are known by their sandboxes.</summary>
    public static WantedShare Share(NetworkView network, PlanEndpoint endpoint) =>
        endpoint.NodeId != network.NodeId && network.Plan.Peers.TryGetValue(endpoint.NodeId, out var peer)
            ? Remote(network, peer, endpoint.Addresses)
            : WantedShare.Empty;

    /// <summary>What a sandbox of this node adds: its cable and its place.</summary>
    public static WantedShare Share(NetworkView network, LocalSandbox sandbox)
    {
        var prefixes = network.AddressesOf(sandbox);
        return Local(network, new LocalEnd(
            SpaceNames.OverlayCable(sandbox.Cables.GetValueOrDefault(network.Network.Id)),
            sandbox.SpaceName,
            ContainerSpace.InterfaceOn(sandbox, network.Network.Id),
            Addressing.MacOf(Addressing.AddressOf(prefixes[0])),
            [.. network.Usable(prefixes).Select(Addressing.AddressOf)]));
    }

    private static WantedSpace Frame(NetworkView network) => new(network.SpaceName, SpaceKind.Overlay)
    {
        Links =
        [
            new WantedLink(Bridge, network.Mtu) { Mac = Addressing.BridgeMacOf(network.Facts.Vtep) },
            new WantedLink(Tunnel, network.Mtu)
            {
                Master = Bridge,
                Tunnel = new WantedTunnel(network.Network.Vni, network.DataPathPort, network.Facts.Vtep) { Encrypted = network.Network.Encrypted },
            },
        ],
        Addresses = [.. network.Gateways.Select(g => new WantedAddress(Bridge, g.Address, g.PrefixLength))],
        Sysctls = Sysctls(network),
        Tables = [.. OverlayTables.Of(network)],
        Balancers = [.. OverlayTables.Balancers(network)],
    };

    private static WantedShare Local(NetworkView network, LocalEnd end) => new()
    {
        Links =
        [
            new WantedLink(end.Cable, network.Mtu)
            {
                Master = Bridge,
                Hairpin = true,
                // On ingress a task has business with nodes alone, and may not pass for one of them.
                Isolated = network.Network.Ingress && end.Space != WantedSpace.IngressSandbox,
                Locked = network.Network.Ingress,
                FarEnd = new WantedFarEnd(end.Space, end.Interface, end.Mac),
            },
        ],
        Neighbours = [.. end.Addresses.Select(a => new WantedNeighbour(Bridge, a, end.Mac))],
        Forwarding = [new WantedForwarding(end.Cable, end.Mac, null)],
        Elements = [.. OverlayTables.Itself(network, end.Addresses), .. VacantRules.Places(network, end.Addresses)],
    };

    // A tunnel goes over one family; a peer whose end is of the other cannot be reached by it.
    private static WantedShare Remote(NetworkView network, PlanPeer peer, IReadOnlyList<string> prefixes)
    {
        var vtep = Addressing.AddressOf(peer.Vtep);
        if (prefixes.Count == 0 || vtep.AddressFamily != network.Facts.Vtep.AddressFamily)
        {
            return WantedShare.Empty;
        }

        // The address of the MAC is the first, also on a node that has no use for its family.
        ImmutableArray<IPAddress> addresses = [.. network.Usable(prefixes).Select(Addressing.AddressOf)];
        var mac = Addressing.MacOf(Addressing.AddressOf(prefixes[0]));
        return new WantedShare
        {
            Neighbours =
            [
                .. addresses.Select(a => new WantedNeighbour(Tunnel, a, mac)),
                // The bridge itself asks when a flow to a VIP was translated; it gets the same answers.
                .. addresses.Select(a => new WantedNeighbour(Bridge, a, mac)),
            ],
            Forwarding = [new WantedForwarding(Tunnel, mac, vtep), new WantedForwarding(Tunnel, mac, null)],
            Elements = [.. VacantRules.Places(network, addresses)],
        };
    }

    private static ImmutableArray<WantedSysctl> Sysctls(NetworkView network) =>
    [
        new("net.ipv4.ip_forward", Balances(network)),
        new("net.ipv4.conf.all.rp_filter", "0"),
        new($"net.ipv4.conf.{Bridge}.rp_filter", "0"),
        // What comes in by the bridge leaves by the bridge; a task must not be told of a shorter way.
        new("net.ipv4.conf.all.send_redirects", "0"),
        new($"net.ipv4.conf.{Bridge}.send_redirects", "0"),
        // Bridged packets pass the packet rules, which balance them.
        new("net.bridge.bridge-nf-call-iptables", Balances(network)),
        new("net.bridge.bridge-nf-call-ip6tables", Balances(network)),
        .. IPv6Settings.Of(network.Has(AddressFamily.InterNetworkV6), forwarding: !network.Network.Ingress),
    ];

    // The ingress network's namespace is a bridge and nothing else: what comes from a node's host or its relay was balanced there, and the way
    // back is the containers' own to find (MeshTables).
    private static string Balances(NetworkView network) => network.Network.Ingress ? "0" : "1";

    private sealed record LocalEnd(string Cable, string Space, string Interface, string Mac, ImmutableArray<IPAddress> Addresses);
}
