using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>The packet rules of an overlay network's namespace: balancing of VIPs. The ingress network's has none.</summary>
internal static class OverlayTables
{
    /// <summary>What is there whatever peers, services and sandboxes there are.</summary>
    public static IEnumerable<WantedTable> Of(NetworkView network)
    {
        if (network.Network.Ingress)
        {
            yield break;
        }

        foreach (var family in Families(network))
        {
            yield return Replies(network, family);
        }
    }

    /// <summary>VIPs are balanced in each family that the network has.</summary>
    public static IEnumerable<WantedBalancer> Balancers(NetworkView network) => Families(network).Select(f => new WantedBalancer(Word(f), ByPort: false));

    /// <summary>A service's VIPs, one of each family that the network has.</summary>
    public static IEnumerable<WantedBalance> Balances(NetworkView network, PlanService service) =>
        from family in Families(network)
        let vip = service.Vips.Select(Addressing.AddressOf).FirstOrDefault(a => a.AddressFamily == family)
        where vip is not null
        select new WantedBalance(Word(family), vip.ToString(), $"service-{service.ServiceId}", network.Backends(service, family), null);

    /// <summary>What a service has beside its balances; empty for most.</summary>
    public static IEnumerable<WantedTable> Policies(NetworkView network, PlanService service) =>
        Families(network).Select(f => PolicyTables.OfVip(network, service, f)).OfType<WantedTable>();

    /// <summary>What refusals and answers add to a VIP's balance.</summary>
    public static (IEnumerable<WantedBalance> Detours, IEnumerable<WantedElement> Retries) Refusals(NetworkView network, PlanService service, WantedBalance vip) =>
        (RefusalRules.Detour(network, service, vip, (protocol, port) => RefusalRules.Key(vip.Key, protocol, port)),
            RefusalRules.Retries(network, service, vip, (protocol, port) => RefusalRules.Key(vip.Key, protocol, port)));

    /// <summary>A local task that may be sent to itself.</summary>
    public static IEnumerable<WantedElement> Itself(NetworkView network, IEnumerable<IPAddress> addresses) =>
        network.Network.Ingress
            ? []
            : addresses.Where(a => Families(network).Contains(a.AddressFamily)).Select(a => new WantedElement(Word(a.AddressFamily), "itself", $"{a} . {a}", null));

    private static ImmutableArray<AddressFamily> Families(NetworkView network) => network.Network.Ingress ? [] : network.Families;

    private static string Word(AddressFamily family) => family == AddressFamily.InterNetwork ? "ip" : "ip6";

    private static WantedTable Replies(NetworkView network, AddressFamily family)
    {
        var (ip, type) = (Word(family), family == AddressFamily.InterNetwork ? "ipv4_addr" : "ipv6_addr");
        var gateway = network.Gateways.Select(g => g.Address).FirstOrDefault(a => a.AddressFamily == family);
        return new WantedTable(ip, WantedTable.Ours)
        {
            Sets =
            [
                new("set", "itself", $"{type} . {type}", []),
                .. RefusalRules.Sets(family, $"{type} . inet_proto . inet_service"),
                VacantRules.Set(family),
                MemberRules.OfVips(family),
            ],
            Chains =
            [
                MemberRules.Vips(family),
                // A task whose own turn it is would answer itself directly; with another source it answers through here.
                new("postrouting", "type nat hook postrouting priority srcnat; policy accept;",
                    gateway is null ? [] : [$"{ip} saddr . {ip} daddr @itself snat to {gateway}"]),
                .. RefusalRules.Chains(family, $"{ip} daddr . meta l4proto . th dport", $"ct original {ip} daddr . meta l4proto . ct original proto-dst"),
                SegmentRules.Chain,
                .. VacantRules.Chains(network, family),
            ],
        };
    }
}
