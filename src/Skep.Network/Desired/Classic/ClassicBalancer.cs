using System.Collections.Immutable;

namespace Skep.Network.Desired.Classic;

/// <summary>The load balancer's namespace of one overlay network (<c>lb_…</c>): its own address, the VIPs, marks and IPVS.</summary>
internal static class ClassicBalancer
{
    private const string Interface = "eth0";

    /// <summary>This node's load balancer on the network, as a prefix; null on ingress, and until the managers gave one.</summary>
    public static string? AddressOn(NetworkView network) =>
        network.Network.Ingress ? null : network.Plan.Peers.GetValueOrDefault(network.NodeId)?.BalancerAddress;

    /// <summary>lb_ and as much of the network's id as fits in twelve characters.</summary>
    public static string SpaceNameOf(NetworkView network) => SpaceNames.OfBalancer(network.Network.Id);

    public static WantedSpace Of(NetworkView network)
    {
        var (own, length) = Addressing.Split(AddressOn(network)!);
        return new WantedSpace(SpaceNameOf(network), SpaceKind.Balancer)
        {
            Ends = [new(Interface, Addressing.MacOf(own), network.Mtu)],
            Addresses = [new(Interface, own, length), .. Vips(network)],
            Sysctls = BalancingSettings,
            Iptables = [VirtualServers.MarkedVips(network), VirtualServers.Masked(network, own)],
            VirtualServers = VirtualServers.Of(network),
        };
    }

    /// <summary>The VIPs that are answered from here.</summary>
    public static IEnumerable<WantedAddress> Vips(NetworkView network) =>
        ClassicState.Marked(network).SelectMany(m => VirtualServers.Vips(m.Service)).Distinct().Select(vip => new WantedAddress(Interface, vip, 32));

    /// <summary>Of every namespace with IPVS: flows are tracked, and a server that is gone does not keep them.</summary>
    public static ImmutableArray<WantedSysctl> BalancingSettings { get; } =
    [
        new("net.ipv4.ip_forward", "1"),
        new("net.ipv4.conf.all.rp_filter", "0"),
        new("net.ipv4.conf.eth0.rp_filter", "0"),
        new("net.ipv4.conf.all.send_redirects", "0"),
        new("net.ipv4.conf.eth0.send_redirects", "0"),
        // These are there only once the kernel's module is loaded, which the first virtual server does.
        new("net.ipv4.vs.conntrack", "1") { Optional = true },
        new("net.ipv4.vs.conn_reuse_mode", "0") { Optional = true },
        new("net.ipv4.vs.expire_nodest_conn", "1") { Optional = true },
        new("net.ipv4.vs.expire_quiescent_template", "1") { Optional = true },
        new("net.ipv6.conf.all.disable_ipv6", "1") { Optional = true },
    ];
}
