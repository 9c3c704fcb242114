using System.Collections.Immutable;
using System.Net.Sockets;

namespace Skep.Network.Desired;

/// <summary>An overlay network's namespace: a bridge with the gateway's address, the tunnel, a cable per local sandbox.</summary>
internal static class OverlaySpace
{
    private const string Bridge = "br0";
    private const string Tunnel = "vxlan0";
    private const uint RulePriority = 100;

    public static WantedSpace Of(NetworkView network)
    {
        var remotes = network.Remotes().ToList();
        var locals = Locals(network).ToList();
        return new WantedSpace(network.SpaceName, SpaceKind.Overlay)
        {
            Links = [.. Links(network, locals)],
            Addresses = [.. network.Gateways.Select(g => new WantedAddress(Bridge, g.Address, g.PrefixLength)), .. Vips(network)],
            Routes = [.. EntryNodes(network).Select(e => new WantedRoute(null, e, Bridge, Addressing.NumberOf(e)))],
            Rules = [.. EntryNodes(network).Select(e => new WantedRule(e.AddressFamily, null, Addressing.NumberOf(e), Addressing.NumberOf(e), RulePriority))],
            Neighbours =
            [
                .. remotes.Select(r => new WantedNeighbour(Tunnel, r.Address, r.Mac)),
                // The bridge itself asks when a flow to a VIP was translated; it gets the same answers.
                .. remotes.Select(r => new WantedNeighbour(Bridge, r.Address, r.Mac)),
                .. locals.SelectMany(l => l.Addresses.Select(a => new WantedNeighbour(Bridge, a, l.Mac))),
            ],
            Forwarding =
            [
                .. remotes.DistinctBy(r => r.Mac).Select(r => new WantedForwarding(Tunnel, r.Mac, r.Vtep)),
                .. remotes.DistinctBy(r => r.Mac).Select(r => new WantedForwarding(Tunnel, r.Mac, null)),
                .. locals.Select(l => new WantedForwarding(l.Cable, l.Mac, null)),
            ],
            Sysctls = Sysctls(network),
            Tables = [.. OverlayTables.Of(network, locals.SelectMany(l => l.Addresses))],
        };
    }

    /// <summary>The addresses of every node's ingress_sbox, in order; none on other networks.</summary>
    internal static IEnumerable<System.Net.IPAddress> EntryNodes(NetworkView network) =>
        network.OwnIngressAddress is null
            ? []
            : network.Plan.Peers.Values.Where(p => p.IngressAddress is not null)
                .Select(p => Addressing.AddressOf(p.IngressAddress!))
                .OrderBy(Addressing.NumberOf);

    private static IEnumerable<WantedLink> Links(NetworkView network, IEnumerable<LocalEnd> locals)
    {
        yield return new WantedLink(Bridge, network.Mtu) { Mac = Addressing.BridgeMacOf(network.Facts.Vtep) };
        yield return new WantedLink(Tunnel, network.Mtu)
        {
            Master = Bridge,
            Tunnel = new WantedTunnel(network.Network.Vni, network.DataPathPort, network.Facts.Vtep),
        };
        foreach (var local in locals)
        {
            yield return new WantedLink(local.Cable, network.Mtu)
            {
                Master = Bridge,
                Hairpin = true,
                FarEnd = new WantedFarEnd(local.Space, local.Interface, local.Mac),
            };
        }
    }

    private static IEnumerable<LocalEnd> Locals(NetworkView network)
    {
        if (network.OwnIngressAddress is { } own)
        {
            var address = Addressing.AddressOf(own);
            yield return new LocalEnd(SpaceNames.OverlayCable(0), WantedSpace.IngressSandbox, "eth0", Addressing.MacOf(address), [address]);
        }

        foreach (var sandbox in network.Locals)
        {
            ImmutableArray<System.Net.IPAddress> addresses = [.. network.AddressesOf(sandbox).Select(Addressing.AddressOf)];
            yield return new LocalEnd(
                SpaceNames.OverlayCable(sandbox.Cables.GetValueOrDefault(network.Network.Id)),
                sandbox.SpaceName,
                ContainerSpace.InterfaceOn(sandbox, network.Network.Id),
                Addressing.MacOf(addresses[0]),
                addresses);
        }
    }

    // Answered here, so that a VIP can be pinged whatever becomes of its tasks. Ingress' VIPs are nobody's to use.
    private static IEnumerable<WantedAddress> Vips(NetworkView network) => network.Network.Ingress
        ? []
        : network.Plan.Services.Values
            .SelectMany(s => s.Vips)
            .Select(Addressing.AddressOf)
            .DistinctBy(a => a.ToString())
            .OrderBy(a => a.ToString(), StringComparer.Ordinal)
            .Select(a => new WantedAddress(Bridge, a, a.AddressFamily == AddressFamily.InterNetwork ? 32 : 128));

    private static ImmutableArray<WantedSysctl> Sysctls(NetworkView network) =>
    [
        new("net.ipv4.ip_forward", "1"),
        new("net.ipv4.conf.all.rp_filter", "0"),
        new($"net.ipv4.conf.{Bridge}.rp_filter", "0"),
        // What comes in by the bridge leaves by the bridge; a task must not be told of a shorter way.
        new("net.ipv4.conf.all.send_redirects", "0"),
        new($"net.ipv4.conf.{Bridge}.send_redirects", "0"),
        // Bridged packets pass the packet rules, which balance them.
        new("net.bridge.bridge-nf-call-iptables", "1"),
        new("net.bridge.bridge-nf-call-ip6tables", "1"),
        new("net.ipv6.conf.all.disable_ipv6", network.Network.EnableIPv6 ? "0" : "1") { Optional = true },
        new("net.ipv6.conf.all.forwarding", network.Network.EnableIPv6 ? "1" : "0") { Optional = true },
    ];

    private sealed record LocalEnd(string Cable, string Space, string Interface, string Mac, ImmutableArray<System.Net.IPAddress> Addresses);
}
