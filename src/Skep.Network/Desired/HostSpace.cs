namespace Skep.Network.Desired;

/// <summary>The host's namespace: the gateway bridge, the published ports and the guard of the tunnels' port.</summary>
internal static class HostSpace
{
    private const int BridgeMtu = 1500;

    public static WantedSpace Of(NodeView node, IReadOnlyList<NetworkView> networks, NetworkView? ingress)
    {
        var facts = node.Facts;
        var bridge = SpaceNames.GatewayBridge;
        return new WantedSpace(WantedSpace.Host, SpaceKind.Host)
        {
            Links = [.. Links(node, ingress)],
            Addresses = [new WantedAddress(bridge, facts.GatewayAddress, facts.GatewaySubnet.PrefixLength)],
            Sysctls =
            [
                new("net.ipv4.ip_forward", "1"),
                new("net.bridge.bridge-nf-call-iptables", "1"),
                new("net.bridge.bridge-nf-call-ip6tables", "1"),
                // A flow from 127.0.0.1 to a published port leaves over the bridge.
                new($"net.ipv4.conf.{bridge}.route_localnet", "1"),
                new($"net.ipv4.conf.{bridge}.rp_filter", "2"),
                // A container that reaches a published port comes back out of the bridge; that is no better route.
                new($"net.ipv4.conf.{bridge}.send_redirects", "0"),
            ],
            Tables = [HostTable.Of(node, networks, ingress), HostTable.OfIPv6()],
        };
    }

    private static IEnumerable<WantedLink> Links(NodeView node, NetworkView? ingress)
    {
        var facts = node.Facts;
        yield return new WantedLink(SpaceNames.GatewayBridge, BridgeMtu) { Mac = Addressing.MacOf(facts.GatewayAddress) };
        if (ingress is not null)
        {
            yield return Cable(SpaceNames.IngressCable, WantedSpace.IngressSandbox, "eth1", facts.IngressGatewayAddress);
        }

        foreach (var sandbox in node.Sandboxes.Values.Where(s => s.GatewayAddress is not null))
        {
            yield return Cable(
                SpaceNames.GatewayCable(sandbox.Request.ContainerId),
                sandbox.SpaceName,
                ContainerSpace.GatewayInterface(sandbox),
                Addressing.AddressOf(sandbox.GatewayAddress!));
        }
    }

    // What one container sends to another over the bridge passes the host's rules, which let through only what was published.
    // Isolated ports would be surer, but stop published ports as well: translated frames are bridged, not routed.
    private static WantedLink Cable(string name, string space, string end, System.Net.IPAddress address) =>
        new(name, BridgeMtu)
        {
            Master = SpaceNames.GatewayBridge,
            Hairpin = true,
            Learning = true,
            FarEnd = new WantedFarEnd(space, end, Addressing.MacOf(address)),
        };
}
