namespace Skep.Network.Desired.Classic;

/// <summary>An overlay network's namespace: bridge, tunnel and cables; it balances nothing and filters nothing.</summary>
internal static class ClassicOverlay
{
    private const string Bridge = "br0";

    public static WantedSpace Of(NetworkView network)
    {
        var space = OverlaySpace.Of(network).Merged();
        space = space with
        {
            // VIPs are at the load balancer, entry nodes are told by its address.
            Addresses = [.. space.Addresses.Where(a => network.Gateways.Any(g => g.Address.Equals(a.Address)))],
            Routes = [],
            Rules = [],
            Tables = [],
            Sysctls =
            [
                new("net.ipv4.ip_forward", "1"),
                new("net.ipv4.conf.all.rp_filter", "0"),
                new("net.bridge.bridge-nf-call-iptables", "0") { Optional = true },
                new("net.bridge.bridge-nf-call-ip6tables", "0") { Optional = true },
                new("net.ipv6.conf.all.disable_ipv6", network.Network.EnableIPv6 ? "0" : "1") { Optional = true },
            ],
        };
        return ClassicBalancer.AddressOn(network) is null ? space : WithBalancer(space, network);
    }

    private static WantedSpace WithBalancer(WantedSpace space, NetworkView network)
    {
        var address = Addressing.AddressOf(ClassicBalancer.AddressOn(network)!);
        var mac = Addressing.MacOf(address);
        return space with
        {
            Links = space.Links.Add(new WantedLink(SpaceNames.BalancerCable, network.Mtu)
            {
                Master = Bridge,
                Hairpin = true,
                FarEnd = new WantedFarEnd(ClassicBalancer.SpaceNameOf(network), "eth0", mac),
            }),
            Neighbours = space.Neighbours.Add(new WantedNeighbour(Bridge, address, mac)),
            Forwarding = space.Forwarding.Add(new WantedForwarding(SpaceNames.BalancerCable, mac, null)),
        };
    }
}
