using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// The host's part of the mesh: flows to published ports go to the tasks in turn, with the client's own address, by a cable that leads from the host
/// into the ingress network's namespace. The host has no address on that cable, and nothing passes it but flows to published ports and what belongs to them.
/// </summary>
internal static class HostMesh
{
    /// <summary>The cable's end on the host.</summary>
    public const string Link = "skep-ingress";

    /// <summary>Its other end, a port of the ingress network's bridge.</summary>
    public const string Port = "vethmesh";

    /// <summary>
    /// Its own table of routes, which only what carries <see cref="Mark"/> is led by: the host may have the ingress network's addresses on its
    /// own network, and must not be cut off from them.
    /// </summary>
    public const uint Table = 29547;

    // "skep" in ASCII.
    private const uint Mark = 0x736b6570;
    private const uint RulePriority = 100;

    private const string KeyType = "inet_proto . inet_service";
    private const string KeyOfPacket = "meta l4proto . th dport";

    // Neighbours are asked for without a flow, and the tunnels' outer packets are not tracked.
    private const string Known = "ct state established,related,untracked";

    /// <summary>What its links are: the cable, with the MAC by which tasks know that this node let a flow in.</summary>
    public static WantedLink Cable(NetworkView ingress) => new(Link, ingress.Mtu)
    {
        Mac = Addressing.EntryMacOf(Addressing.AddressOf(ingress.OwnIngressAddress!)),
        FarEnd = new WantedFarEnd(ingress.SpaceName, Port, Addressing.PortMacOf(Addressing.AddressOf(ingress.OwnIngressAddress!))),
    };

    public static IEnumerable<WantedRoute> Routes(NetworkView ingress) => ingress.MeshFamilies.SelectMany(f => Subnets(ingress, f)).Select(s => new WantedRoute(s, null, Link, Table));

    public static IEnumerable<WantedRule> Rules(NetworkView ingress) => ingress.MeshFamilies.Select(f => new WantedRule(f, null, Mark, Table, RulePriority));

    public static IEnumerable<WantedSysctl> Settings(NetworkView ingress)
    {
        // A flow from 127.0.0.1 to a published port leaves over the cable.
        yield return new WantedSysctl($"net.ipv4.conf.{Link}.route_localnet", "1");
        // Whether what tasks answer comes from where it should is seen with the mark.
        yield return new WantedSysctl($"net.ipv4.conf.{Link}.src_valid_mark", "1");
        yield return new WantedSysctl($"net.ipv4.conf.{Link}.rp_filter", "2");
        yield return new WantedSysctl($"net.ipv4.conf.{Link}.send_redirects", "0");
        // Nobody on the ingress network has a use for the host's addresses.
        yield return new WantedSysctl($"net.ipv4.conf.{Link}.arp_ignore", "8");
        if (ingress.MeshFamilies.Contains(AddressFamily.InterNetworkV6))
        {
            yield return new WantedSysctl($"net.ipv6.conf.{Link}.disable_ipv6", "0");
            yield return new WantedSysctl($"net.ipv6.conf.{Link}.accept_dad", "0");
            yield return new WantedSysctl($"net.ipv6.conf.{Link}.accept_ra", "0");
        }
    }

    /// <summary>What goes to the host's own addresses is balanced by its port.</summary>
    public static IEnumerable<WantedBalancer> Balancers(NetworkView? ingress) => (ingress?.MeshFamilies ?? []).Select(f => new WantedBalancer(Word(f), ByPort: true));

    /// <summary>What a service adds to the host by the ports that it publishes on this node.</summary>
    public static WantedShare Share(NodeView node, NetworkView ingress, PlanService service)
    {
        var ranges = PublishedRange.On(node.Plan.NodeId, service, node.HeldPorts).Where(r => !r.IsRelayed).ToList();
        if (ranges.Count == 0)
        {
            return WantedShare.Empty;
        }

        var open = (from family in ingress.MeshFamilies from range in ranges where !range.IsGuarded from one in range.Singles() select Balance(ingress, service, family, one)).ToList();
        return new WantedShare
        {
            // The first service keeps a port that two claim.
            Balances =
            [
                .. from family in ingress.MeshFamilies
                   from range in ranges
                   where !PolicyTables.HasOwnRule(service, range)
                   from one in range.Singles()
                   select Balance(ingress, service, family, one),
                .. open.SelectMany(b => RefusalRules.Detour(ingress, service, b, KeyOf(b))),
            ],
            Elements = [.. open.SelectMany(b => RefusalRules.Retries(ingress, service, b, KeyOf(b))), .. MemberRules.Of(ingress, service, ranges)],
            Tables = [.. ingress.MeshFamilies.Select(f => PolicyTables.OfPorts(ingress, service, f, ranges)).OfType<WantedTable>()],
        };

        static Func<byte, ushort, string?> KeyOf(WantedBalance published) => (protocol, port) =>
            port == published.Port && published.Key.StartsWith(RefusalRules.Word(protocol), StringComparison.Ordinal) ? published.Key : null;
    }

    public static IEnumerable<WantedSet> Sets(AddressFamily family) => [.. RefusalRules.Sets(family, KeyType), .. MemberRules.OfPorts(family)];

    /// <summary>Chains of the mesh alone.</summary>
    public static IEnumerable<WantedChain> Chains(NetworkView ingress, AddressFamily family)
    {
        var ip = Word(family);
        foreach (var subnet in Subnets(ingress, family))
        {
            yield return new WantedChain("led", "type filter hook prerouting priority dstnat + 10; policy accept;",
            [
                $"iifname \"{Link}\" meta mark set 0x{Mark:x} goto {RefusalRules.SignsName}",
                $"{ip} daddr {subnet} ct status dnat meta mark set 0x{Mark:x}",
            ]);
            // A packet of the host's own that is translated is routed again by that (nf_nat_ipv4_local_fn), with the mark that it has by then.
            yield return new WantedChain("own-led", "type filter hook output priority mangle; policy accept;",
            [
                $"ct status dnat ct reply {ip} saddr {subnet} meta mark set 0x{Mark:x} accept",
                "ct state != new accept",
                .. Published(ip, $"meta mark set 0x{Mark:x}"),
            ]);
        }

        foreach (var chain in RefusalRules.Chains(family, $"fib daddr type local {KeyOfPacket}", "meta l4proto . ct original proto-dst", host: true))
        {
            yield return chain;
        }

        yield return MemberRules.Ports(family, Link);
        yield return new WantedChain("to-mesh", "type filter hook output priority filter; policy accept;",
        [
            $"oifname != \"{Link}\" accept",
            SegmentRules.Rule,
            "ct status dnat accept",
            $"{Known} accept",
            "drop",
        ]);
        yield return new WantedChain("refuse", null, ["reject with tcp reset", "reject"]);
    }

    /// <summary>What is said of packets for the host itself.</summary>
    public static IEnumerable<string> Input(string ip) =>
    [
        // Most packets have nothing to do with what follows.
        $"{Known} accept",
        $"iifname \"{Link}\" drop",
        // Published, and nobody there: what was not translated is refused at once. Sockets that hold the ports would swallow datagrams.
        .. Published(ip, "goto refuse"),
    ];

    // What goes to a port of the mesh.
    private static IEnumerable<string> Published(string ip, string action) =>
    [
        $"{KeyOfPacket} @ingress-ports fib daddr type local {action}",
        $"{KeyOfPacket} @ingress-ranges fib daddr type local {action}",
        $"{ip} saddr . {ip} daddr . {KeyOfPacket} @ingress-guarded fib daddr type local {action}",
    ];

    private static IEnumerable<IPNetwork> Subnets(NetworkView ingress, AddressFamily family) =>
        ingress.Gateways.Where(g => g.Address.AddressFamily == family).Select(g => Addressing.NetworkOf(g.Address, g.PrefixLength)).Take(1);

    private static WantedBalance Balance(NetworkView ingress, PlanService service, AddressFamily family, PublishedRange port) =>
        new(Word(family), port.Key, string.Create(CultureInfo.InvariantCulture, $"port-{port.Protocol}-{port.First}"), ingress.Backends(service, family), port.Target);

    private static string Word(AddressFamily family) => family == AddressFamily.InterNetwork ? "ip" : "ip6";
}
