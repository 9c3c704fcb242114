using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>The host's packet rules, in our own table.</summary>
internal static class HostTable
{
    private const string Bridge = SpaceNames.GatewayBridge;
    private const string Ours = $"{{ \"{Bridge}\", \"{HostMesh.Link}\" }}";

    // After the tables of the mesh: who translates first has the flow.
    private const string Coming = "type nat hook prerouting priority dstnat + 5; policy accept;";
    private const string Own = "type nat hook output priority -95; policy accept;";
    private const string Four = "ip";
    private const string Six = "ip6";

    /// <summary>What is there whatever peers, services and sandboxes there are.</summary>
    public static WantedTable Of(NodeView node, IReadOnlyList<NetworkView> networks, NetworkView? ingress)
    {
        var subnet = node.Facts.GatewaySubnet;
        var published = Published(node, ingress, AddressFamily.InterNetwork);
        var mesh = ingress?.MeshFamilies.Contains(AddressFamily.InterNetwork) == true;
        return new WantedTable("ip", WantedTable.Ours)
        {
            Sets =
            [
                .. Sets("ipv4_addr"),
                .. mesh ? HostMesh.Sets(AddressFamily.InterNetwork) : [],
            ],
            Chains =
            [
                new("guard", "type filter hook prerouting priority raw; policy accept;",
                [
                    // These links route 127.0.0.0/8 for our own sake; a container has no business there.
                    $"ip daddr 127.0.0.0/8 iifname {Ours} drop",
                    $"{Tunnelled(node)} goto tunnels",
                ]),
                Tunnels(networks, Four),
                Untracked(node, Four),
                new("prerouting", Coming, published),
                new("output", Own, published),
                Input(node, networks, Four, mesh),
                .. Exit(node, networks),
                new("forward", "type filter hook forward priority filter; policy accept;", Forward(node, Four)),
                new("postrouting", "type nat hook postrouting priority srcnat; policy accept;",
                [
                    .. mesh ? Unique("ip", ingress!.OwnIngressAddress!, subnet, "127.0.0.0/8") : [],
                    $"ip saddr {subnet} masquerade",
                    $"oifname \"{Bridge}\" ip saddr 127.0.0.0/8 masquerade",
                ]),
                .. mesh ? HostMesh.Chains(ingress!, AddressFamily.InterNetwork) : [],
            ],
        };
    }

    /// <summary>
    /// The same for IPv6. Without an IPv6 subnet the gateway bridge carries none of it: what containers said to each other would be a way
    /// round the rules.
    /// </summary>
    public static WantedTable OfIPv6(NodeView node, IReadOnlyList<NetworkView> networks, NetworkView? ingress)
    {
        var six = node.Facts.GatewaySubnet6;
        var mesh = ingress?.MeshFamilies.Contains(AddressFamily.InterNetworkV6) == true;
        var published = Published(node, ingress, AddressFamily.InterNetworkV6);
        WantedChain guard = new("guard", "type filter hook prerouting priority raw; policy accept;", [$"{Tunnelled(node)} goto tunnels"]);
        var (tunnels, untracked) = (Tunnels(networks, Six), Untracked(node, Six));
        var input = Input(node, networks, Six, mesh);
        return new WantedTable("ip6", WantedTable.Ours)
        {
            Sets =
            [
                .. Sets("ipv6_addr"),
                .. mesh ? HostMesh.Sets(AddressFamily.InterNetworkV6) : [],
            ],
            Chains = six is not { } subnet
                ? [guard, tunnels, untracked, input, .. Exit(node, networks), new("forward", "type filter hook forward priority filter; policy accept;", [$"iifname \"{Bridge}\" oifname \"{Bridge}\" drop"])]
                :
                [
                    guard,
                    tunnels,
                    untracked,
                    new("prerouting", Coming, published),
                    Loopback,
                    new("output", Own, published),
                    input,
                    .. Exit(node, networks),
                    new("forward", "type filter hook forward priority filter; policy accept;", Forward(node, Six)),
                    new("postrouting", "type nat hook postrouting priority srcnat; policy accept;",
                    [
                        .. mesh ? Unique("ip6", ingress!.OwnIngressAddress6!, subnet, "::1") : [],
                        $"ip6 saddr {subnet} masquerade",
                        $"oifname \"{Bridge}\" ip6 saddr ::1 masquerade",
                    ]),
                    .. mesh ? HostMesh.Chains(ingress!, AddressFamily.InterNetworkV6) : [],
                ],
        };
    }

    /// <summary>A peer's tunnel end.</summary>
    public static IEnumerable<WantedElement> Of(PlanPeer peer)
    {
        var vtep = Addressing.AddressOf(peer.Vtep);
        return [new WantedElement(vtep.AddressFamily == AddressFamily.InterNetwork ? Four : Six, "vteps", vtep.ToString(), null)];
    }

    /// <summary>A service's published ports, where this node listens; only of the ingress network's services.</summary>
    public static IEnumerable<WantedElement> Of(NodeView node, PlanService service) =>
        from range in PublishedRange.On(node.Plan.NodeId, service, node.HeldPorts)
        from family in new[] { AddressFamily.InterNetwork, AddressFamily.InterNetworkV6 }
        let ip = family == AddressFamily.InterNetwork ? Four : Six
        from element in range switch
        {
            { IsRelayed: true, IsGuarded: true } => range.Guarded(family).Select(key => new WantedElement(ip, "relayed-guarded", key, null)),
            { IsRelayed: true } => [new WantedElement(ip, "relayed-ports", range.Key, null)],
            { IsGuarded: true } => range.Guarded(family).Select(key => new WantedElement(ip, "ingress-guarded", key, null)),
            { IsSingle: true } => [new WantedElement(ip, "ingress-ports", range.Key, null)],
            _ => [new WantedElement(ip, "ingress-ranges", range.Key, null)],
        }
        select element;

    /// <summary>A sandbox's ports on this host.</summary>
    public static IEnumerable<WantedElement> Of(NodeFacts facts, LocalSandbox sandbox)
    {
        if (sandbox.GatewayAddress is null)
        {
            yield break;
        }

        IPAddress[] addresses = [Addressing.AddressOf(sandbox.GatewayAddress), .. facts.GatewayAddress6Of(sandbox) is { } six ? new[] { six } : []];
        foreach (var element in from range in PublishedRange.Of(sandbox).SelectMany(r => r.Translated()) from address in addresses from element in Of(range, address) select element)
        {
            yield return element;
        }
    }

    // A map's value is an address and a port, or the address alone for all ports of a range.
    private static IEnumerable<WantedElement> Of(PublishedRange range, IPAddress address)
    {
        var ip = address.AddressFamily == AddressFamily.InterNetwork ? Four : Six;
        var keys = range.IsGuarded ? range.Guarded(address.AddressFamily) : [range.Key];
        var (map, value) = (range.IsGuarded, range.IsSingle) switch
        {
            (false, true) => ("host-ports", $"{address} . {range.Target}"),
            (false, false) => ("host-ranges", $"{address}"),
            (true, true) => ("host-guarded", $"{address} . {range.Target}"),
            (true, false) => ("host-guarded-ranges", $"{address}"),
        };
        return keys.Select(key => new WantedElement(ip, map, key, value));
    }

    private static IEnumerable<WantedSet> Sets(string address) =>
    [
        new("set", "vteps", address, []),
        new("set", "ingress-ports", "inet_proto . inet_service", []),
        new("set", "ingress-ranges", "inet_proto . inet_service; flags interval", []),
        new("set", "ingress-guarded", $"{address} . {address} . inet_proto . inet_service; flags interval", []),
        new("set", "relayed-ports", "inet_proto . inet_service; flags interval", []),
        new("set", "relayed-guarded", $"{address} . {address} . inet_proto . inet_service; flags interval", []),
        new("map", "host-ports", $"inet_proto . inet_service : {address} . inet_service", []),
        new("map", "host-ranges", $"inet_proto . inet_service : {address}; flags interval", []),
        new("map", "host-guarded", $"{address} . {address} . inet_proto . inet_service : {address} . inet_service; flags interval", []),
        new("map", "host-guarded-ranges", $"{address} . {address} . inet_proto . inet_service : {address}; flags interval", []),
    ];

    private static ImmutableArray<string> Published(NodeView node, NetworkView? ingress, AddressFamily family)
    {
        var (ip, sandbox) = family == AddressFamily.InterNetwork ? (Four, node.Facts.IngressGatewayAddress) : (Six, node.Facts.IngressGatewayAddress6);
        var guarded = $"{ip} saddr . {ip} daddr . meta l4proto . th dport";
        string[] hosts =
        [
            $"fib daddr type local dnat {ip} to meta l4proto . th dport map @host-ports",
            "fib daddr type local meta l4proto { tcp, udp } dnat to meta l4proto . th dport map @host-ranges",
            $"fib daddr type local meta l4proto {{ tcp, udp }} dnat {ip} to {guarded} map @host-guarded",
            $"fib daddr type local meta l4proto {{ tcp, udp }} dnat to {guarded} map @host-guarded-ranges",
        ];
        return ingress?.MeshFamilies.Contains(family) != true
            ? [.. hosts]
            :
            [
                .. hosts,
                $"fib daddr type local meta l4proto . th dport @relayed-ports dnat to {sandbox}",
                // What is not let through here goes on to the host's own programs: as though nobody listened.
                $"fib daddr type local {guarded} @relayed-guarded dnat to {sandbox}",
            ];
    }

    // This node's own loopback and containers have addresses that every node has; on the ingress network they get the one that only this
    // node has there, or the replies of two nodes' flows could not be told apart.
    private static IEnumerable<string> Unique(string ip, string own, IPNetwork gateway, string loopback) =>
        new[] { gateway.ToString(), loopback }.Select(s => $"oifname \"{HostMesh.Link}\" {ip} saddr {s} snat to {Addressing.AddressOf(own)}");

    // ::1 is nowhere but on the loopback (RFC 4291, 2.5.3), and IPv6 has no route_localnet. A flow from there leaves with the bridge's
    // address; what comes back is put in at the loopback's own entrance, as from whatever it was sent to.
    private static WantedChain Loopback => new("loopback", "type filter hook prerouting priority dstnat + 10; policy accept;",
    [
        $"iifname != {Ours} accept",
        "ip6 daddr != ::1 accept",
        "ip6 saddr set ct original ip6 daddr",
        "tcp sport set ct original proto-dst",
        "udp sport set ct original proto-dst",
        "dup to ::1 device \"lo\"",
        "drop",
    ]);

    private static WantedChain Input(NodeView node, IReadOnlyList<NetworkView> networks, string ip, bool mesh) =>
        new("input", "type filter hook input priority filter; policy accept;",
        [
            .. Sealed(node, networks, "meta"),
            // What somebody's own rules translated to the port was not seen by the guard; what is not tracked was not translated.
            $"{Tunnelled(node)} ct state != untracked jump tunnels",
            .. mesh ? HostMesh.Input(ip) : [],
        ]);

    /// <summary>
    /// Only peers may send into our networks, to whatever address of this node, a broadcast's too; other tunnels on the same port, and those that pass
    /// through to other machines, are not our business. Each flow in a tunnel has a source port of its own
    /// outside (RFC 7348), which would be a tracked flow for each flow that is tracked inside already.
    /// </summary>
    private static WantedChain Tunnels(IReadOnlyList<NetworkView> networks, string ip) => new("tunnels", null,
    [
        $"{ip} saddr @vteps notrack accept",
        .. networks.OrderBy(n => n.Network.Vni).Select(n => string.Create(
            CultureInfo.InvariantCulture,
            $"udp dport {n.DataPathPort} @th,96,24 0x{n.Network.Vni:x} fib daddr type != unicast drop")),
    ]);

    private static WantedChain Untracked(NodeView node, string ip) =>
        new("untracked", "type filter hook output priority raw; policy accept;", [$"{Tunnelled(node)} {ip} daddr @vteps notrack"]);

    private static string Tunnelled(NodeView node) => $"udp dport {{ {node.Plan.DataPathPort}, {node.Plan.EncryptedPort} }}";

    // The kernel's IPsec policies already refuse what is said here. These rules are for the moment after somebody flushed those.
    private static IEnumerable<string> Sealed(NodeView node, IReadOnlyList<NetworkView> networks, string side) =>
        networks.Any(n => n.Network.Encrypted) ? [$"udp dport {node.Plan.EncryptedPort} {side} ipsec missing drop"] : [];

    private static IEnumerable<WantedChain> Exit(NodeView node, IReadOnlyList<NetworkView> networks) =>
        Sealed(node, networks, "rt").Select(rule => new WantedChain("exit", "type filter hook output priority filter; policy accept;", [rule]));

    private static ImmutableArray<string> Forward(NodeView node, string ip) =>
    [
        // Masqueraded, a container's datagram would look like this node's own tunnel to its peers.
        $"iifname \"{Bridge}\" {Tunnelled(node)} {ip} daddr @vteps drop",
        $"oifname \"{HostMesh.Link}\" {SegmentRules.Rule}",
        "ct state established,related accept",
        $"oifname {Ours} ct status dnat accept",
        $"oifname {Ours} drop",
        $"iifname \"{HostMesh.Link}\" drop",
    ];
}
