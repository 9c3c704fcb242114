using System.Net;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>The host's namespace: the gateway bridge, the balancing of published ports with their cable into the ingress network, and the guard of the tunnels' port.</summary>
internal static class HostSpace
{
    private const int BridgeMtu = 1500;

    public static WantedParts Of(NodeView node, IReadOnlyList<NetworkView> networks, NetworkView? ingress)
    {
        var shares = new ShareSet();
        foreach (var network in networks)
        {
            shares.AddAll(ShareSource.Peer, network.Network.Id, network.Plan.Peers, peer => Share(node, network.Network, peer));
        }

        if (ingress is not null)
        {
            shares.AddAll(ShareSource.Service, ingress.Network.Id, ingress.Plan.Services, s => Share(node, ingress, s));
        }

        shares.AddAll(ShareSource.Sandbox, "", node.Sandboxes, s => Share(node.Facts, s));
        return new WantedParts(Frame(node, networks, ingress), shares.ToImmutable());
    }

    /// <summary>What a peer adds.</summary>
    public static WantedShare Share(NodeView node, PlanNetwork network, PlanPeer peer) => new()
    {
        Elements = [.. HostTable.Of(peer)],
        EspPeers = network.Encrypted && EspPeers.Of(node, peer) is { } esp ? [esp] : [],
    };

    /// <summary>What a service of the ingress network adds.</summary>
    public static WantedShare Share(NodeView node, NetworkView ingress, PlanService service) =>
        HostMesh.Share(node, ingress, service) is var mesh && service.Ports.Count == 0 ? mesh : mesh with { Elements = [.. HostTable.Of(node, service), .. mesh.Elements] };

    /// <summary>What a sandbox adds: its cable on the gateway bridge and its ports.</summary>
    public static WantedShare Share(NodeFacts facts, LocalSandbox sandbox) => sandbox.GatewayAddress is null ? WantedShare.Empty : new WantedShare
    {
        Links =
        [
            Cable(
                SpaceNames.GatewayCable(sandbox.Request.ContainerId),
                sandbox.SpaceName,
                ContainerSpace.GatewayInterface(sandbox),
                Addressing.AddressOf(sandbox.GatewayAddress)),
        ],
        Elements = [.. HostTable.Of(facts, sandbox)],
    };

    private static WantedSpace Frame(NodeView node, IReadOnlyList<NetworkView> networks, NetworkView? ingress)
    {
        var facts = node.Facts;
        var bridge = SpaceNames.GatewayBridge;
        var mesh = facts.Classic ? null : ingress;
        return new WantedSpace(WantedSpace.Host, SpaceKind.Host)
        {
            Links = [.. Links(facts, ingress), .. mesh is null ? Array.Empty<WantedLink>() : [HostMesh.Cable(mesh)]],
            Addresses =
            [
                new WantedAddress(bridge, facts.GatewayAddress, facts.GatewaySubnet.PrefixLength),
                .. facts.GatewayAddress6 is { } six ? new[] { new WantedAddress(bridge, six, facts.GatewaySubnet6!.Value.PrefixLength) } : [],
            ],
            Routes = mesh is null ? [] : [.. HostMesh.Routes(mesh)],
            Rules = mesh is null ? [] : [.. HostMesh.Rules(mesh)],
            Sysctls =
            [
                new("net.ipv4.ip_forward", "1"),
                new("net.bridge.bridge-nf-call-iptables", "1"),
                new("net.bridge.bridge-nf-call-ip6tables", "1"),
                // A flow from 127.0.0.1 to a port of mode host, or to the relay, leaves over the bridge.
                new($"net.ipv4.conf.{bridge}.route_localnet", "1"),
                new($"net.ipv4.conf.{bridge}.rp_filter", "2"),
                // A container that reaches a published port comes back out of the bridge; that is no better route.
                new($"net.ipv4.conf.{bridge}.send_redirects", "0"),
                .. facts.GatewaySubnet6 is null ? [] : Forwarding6(facts),
                .. mesh is null ? [] : HostMesh.Settings(mesh),
            ],
            Tables = facts.IPv6
                ? [HostTable.Of(node, networks, ingress), HostTable.OfIPv6(node, networks, ingress)]
                : [HostTable.Of(node, networks, ingress)],
            Balancers = [.. HostMesh.Balancers(mesh)],
            Esp = networks.Any(n => n.Network.Encrypted) ? new WantedEsp(node.Plan.EncryptedPort, node.Plan.Keyring is not null)
            {
                Keys = [.. node.Plan.Keyring?.Keys.Select(k => k.Id) ?? []],
            } : null,
        };
    }

    // Who forwards is a router and does not listen to routers, unless accept_ra is 2 (Documentation/networking/ip-sysctl.rst): a
    // host that has its address or its way out from them would lose both.
    private static IEnumerable<WantedSysctl> Forwarding6(NodeFacts facts) =>
    [
        .. facts.Advertised.Select(link => new WantedSysctl($"net/ipv6/conf/{link}/accept_ra", "2") { Optional = true }),
        new("net.ipv6.conf.all.forwarding", "1"),
        new($"net.ipv6.conf.{SpaceNames.GatewayBridge}.disable_ipv6", "0"),
        new($"net.ipv6.conf.{SpaceNames.GatewayBridge}.accept_dad", "0"),
        new($"net.ipv6.conf.{SpaceNames.GatewayBridge}.accept_ra", "0"),
    ];

    private static IEnumerable<WantedLink> Links(NodeFacts facts, NetworkView? ingress)
    {
        yield return new WantedLink(SpaceNames.GatewayBridge, BridgeMtu) { Mac = Addressing.MacOf(facts.GatewayAddress) };
        if (ingress is not null)
        {
            yield return Cable(SpaceNames.IngressCable, WantedSpace.IngressSandbox, "eth1", facts.IngressGatewayAddress);
        }
    }

    // What one container sends to another over the bridge passes the host's rules, which let through only what was published.
    // Isolated ports would be surer, but stop published ports as well: translated frames are bridged, not routed.
    private static WantedLink Cable(string name, string space, string end, IPAddress address) =>
        new(name, BridgeMtu)
        {
            Master = SpaceNames.GatewayBridge,
            Hairpin = true,
            Learning = true,
            FarEnd = new WantedFarEnd(space, end, Addressing.MacOf(address)),
        };
}
