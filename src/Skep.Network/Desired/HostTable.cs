using System.Collections.Immutable;
using System.Globalization;

namespace Skep.Network.Desired;

/// <summary>The host's packet rules, in our own table.</summary>
internal static class HostTable
{
    private const string Bridge = SpaceNames.GatewayBridge;

    public static WantedTable Of(NodeView node, IReadOnlyList<NetworkView> networks, NetworkView? ingress)
    {
        var subnet = node.Facts.GatewaySubnet;
        var published = ImmutableArray.Create("fib daddr type local dnat ip to meta l4proto . th dport map @host-ports");
        if (ingress is not null)
        {
            published = published.Add($"fib daddr type local meta l4proto . th dport @ingress-ports dnat to {node.Facts.IngressGatewayAddress}");
        }

        return new WantedTable("ip", WantedTable.Ours)
        {
            Sets =
            [
                new("set", "vteps", "ipv4_addr", [.. Vteps(networks)]),
                new("set", "ingress-ports", "inet_proto . inet_service", ingress is null ? [] : [.. IngressTable.PublishedPorts(ingress).Select(p => p.Key)]),
                new("map", "host-ports", "inet_proto . inet_service : ipv4_addr . inet_service", [.. HostPorts(node)]),
            ],
            Chains =
            [
                // The bridge routes 127.0.0.0/8 for our own sake; a container has no business there.
                new("guard", "type filter hook prerouting priority raw; policy accept;", [$"iifname \"{Bridge}\" ip daddr 127.0.0.0/8 drop"]),
                new("prerouting", "type nat hook prerouting priority dstnat; policy accept;", published),
                new("output", "type nat hook output priority -100; policy accept;", published),
                new("input", "type filter hook input priority filter; policy accept;", [.. Tunnels(node, networks)]),
                new("forward", "type filter hook forward priority filter; policy accept;", Forward(node)),
                new("postrouting", "type nat hook postrouting priority srcnat; policy accept;",
                [
                    $"ip saddr {subnet} masquerade",
                    $"oifname \"{Bridge}\" ip saddr 127.0.0.0/8 masquerade",
                ]),
            ],
        };
    }

    /// <summary>The gateway bridge carries IPv4 only; IPv6 between containers would be a way round the rules.</summary>
    public static WantedTable OfIPv6() => new("ip6", WantedTable.Ours)
    {
        Chains = [new("forward", "type filter hook forward priority filter; policy accept;", [$"iifname \"{Bridge}\" oifname \"{Bridge}\" drop"])],
    };

    /// <summary>Only peers may send into our networks; other tunnels on the same port are not our business.</summary>
    private static IEnumerable<string> Tunnels(NodeView node, IReadOnlyList<NetworkView> networks) =>
        networks.Select(n => n.Network.Vni).Order().Select(vni => string.Create(
            CultureInfo.InvariantCulture,
            $"udp dport {node.Plan.DataPathPort} @th,96,24 0x{vni:x} ip saddr != @vteps drop"));

    private static ImmutableArray<string> Forward(NodeView node) =>
    [
        // Masqueraded, a container's datagram would look like this node's own tunnel to its peers.
        $"iifname \"{Bridge}\" udp dport {node.Plan.DataPathPort} ip daddr @vteps drop",
        "ct state established,related accept",
        $"oifname \"{Bridge}\" ct status dnat accept",
        $"oifname \"{Bridge}\" drop",
    ];

    private static IEnumerable<string> Vteps(IReadOnlyList<NetworkView> networks) =>
        networks.SelectMany(n => n.Plan.Peers.Values)
            .Select(p => Addressing.AddressOf(p.Vtep))
            .Where(a => a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
            .Select(a => a.ToString())
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> HostPorts(NodeView node) =>
        from sandbox in node.Sandboxes.Values
        where sandbox.GatewayAddress is not null
        from port in sandbox.HostPorts
        select $"{Ports.Key(port)} : {Addressing.AddressOf(sandbox.GatewayAddress!)} . {port.TargetPort}";
}
