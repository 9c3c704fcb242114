using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>The packet rules of an overlay network's namespace: balancing of VIPs, or, on ingress, who may open flows.</summary>
internal static class OverlayTables
{
    public static IEnumerable<WantedTable> Of(NetworkView network, IEnumerable<IPAddress> locals)
    {
        if (network.Network.Ingress)
        {
            yield return Entrance(network);
            yield return new WantedTable("ip6", WantedTable.Ours)
            {
                Chains = [new("entrance", "type filter hook prerouting priority mangle; policy accept;", ["drop"])],
            };
            yield break;
        }

        var here = locals.ToList();
        yield return Balancer(network, AddressFamily.InterNetwork, here);
        if (network.Network.EnableIPv6)
        {
            yield return Balancer(network, AddressFamily.InterNetworkV6, here);
        }
    }

    // The first packet's source MAC tells whose ingress_sbox let the flow in. That is kept as the flow's mark, by which replies
    // are routed back there. What comes from anybody else opens no flow.
    private static WantedTable Entrance(NetworkView network) => new("ip", WantedTable.Ours)
    {
        Sets =
        [
            new("map", "entry-nodes", "ether_addr : mark",
                [.. OverlaySpace.EntryNodes(network).Select(a => $"{Addressing.MacOf(a)} : 0x{Addressing.NumberOf(a):x8}")]),
        ],
        Chains =
        [
            new("entrance", "type filter hook prerouting priority mangle; policy accept;",
            [
                "ct direction original ct state new ct mark set ether saddr map @entry-nodes",
                "ct state new ct mark 0x00000000 drop",
                "ct direction reply ct mark != 0x00000000 meta mark set ct mark",
            ]),
        ],
    };

    private static WantedTable Balancer(NetworkView network, AddressFamily family, List<IPAddress> locals)
    {
        var four = family == AddressFamily.InterNetwork;
        var (ip, type) = four ? ("ip", "ipv4_addr") : ("ip6", "ipv6_addr");
        var services = network.Plan.Services.Values
            .Select(s => (Service: s, Vip: s.Vips.Select(Addressing.AddressOf).FirstOrDefault(a => a.AddressFamily == family)))
            .Where(s => s.Vip is not null)
            .OrderBy(s => s.Service.ServiceId, StringComparer.Ordinal)
            .ToList();
        var gateway = network.Gateways.Select(g => g.Address).FirstOrDefault(a => a.AddressFamily == family);
        return new WantedTable(ip, WantedTable.Ours)
        {
            Sets =
            [
                new("map", "vips", $"{type} : verdict",
                    [.. services.DistinctBy(s => s.Vip).Select(s => $"{s.Vip} : jump {ChainOf(s.Service)}")]),
                new("set", "itself", $"{type} . {type}",
                    [.. locals.Where(a => a.AddressFamily == family).Select(a => $"{a} . {a}").Order(StringComparer.Ordinal)]),
            ],
            Chains =
            [
                new("prerouting", "type nat hook prerouting priority dstnat; policy accept;", [$"{ip} daddr vmap @vips"]),
                // A task whose own turn it is would answer itself directly; with another source it answers through here.
                new("postrouting", "type nat hook postrouting priority srcnat; policy accept;",
                    gateway is null ? [] : [$"{ip} saddr . {ip} daddr @itself snat to {gateway}"]),
                .. services.Select(s => new WantedChain(ChainOf(s.Service), null, Balance(network, s.Service, family))),
            ],
        };
    }

    // Without a backend the chain is empty: the VIP is this namespace's own, nobody listens, and the flow is refused at once.
    private static ImmutableArray<string> Balance(NetworkView network, PlanService service, AddressFamily family)
    {
        var backends = network.ActiveBackends(service.ServiceId, family).ToList();
        return backends.Count == 0 ? [] : [$"meta l4proto {{ tcp, udp }} {RoundRobin.To(backends)}"];
    }

    private static string ChainOf(PlanService service) => $"service-{service.ServiceId}";
}
