using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// A table for each service with ports whose tasks get PROXY headers. What the host sends to such a port of ingress_sbox goes to the
/// relay there; what the relay sends to that port goes to the tasks, balanced as the packets of other ports are. The relay speaks with an
/// address of ingress_sbox that stands for the client (<see cref="StandIns"/>), so that affinity is the client's; on its way out
/// the flow gets the address that every node can answer. Flows live on when the table goes.
/// </summary>
internal static class RelayTables
{
    /// <summary>Every such table's name begins with it.</summary>
    public const string Prefix = "skep-relayed-";

    /// <summary>The relay's port in ingress_sbox.</summary>
    public const ushort Port = 61054;

    /// <summary>The ports of a service that the relay serves.</summary>
    public static IEnumerable<PublishedRange> RangesOf(PlanService service) =>
        service.Access is null ? [] : PublishedRange.Of(service).Where(r => r.IsRelayed);

    /// <summary>What a service adds to ingress_sbox by its relayed ports; empty for nearly all.</summary>
    public static WantedShare Of(NetworkView ingress, PlanService service)
    {
        ImmutableArray<PublishedRange> ranges = [.. RangesOf(service)];
        return ranges.IsEmpty
            ? WantedShare.Empty
            : new WantedShare
            {
                Elements = [.. MemberRules.Of(ingress, service, ranges)],
                Tables = [.. ingress.MeshFamilies.Select(f => Of(ingress, service, f, ranges)).OfType<WantedTable>()],
            };
    }

    // Without a backend there is no table: the flow ends at ingress_sbox, where nobody listens, and is refused at once.
    private static WantedTable? Of(NetworkView ingress, PlanService service, AddressFamily family, ImmutableArray<PublishedRange> ranges)
    {
        var four = family == AddressFamily.InterNetwork;
        var (ip, own, sandbox) = four
            ? ("ip", Addressing.AddressOf(ingress.OwnIngressAddress!), ingress.Facts.IngressGatewayAddress)
            : ("ip6", Addressing.AddressOf(ingress.OwnIngressAddress6!), ingress.Facts.IngressGatewayAddress6!);
        var relay = string.Create(CultureInfo.InvariantCulture, $"{(four ? own.ToString() : $"[{own}]")}:{Port}");
        var turns = new PolicyTables.Entrance([("turns", "type nat hook output priority -100; policy accept;")], $"{ip} daddr {sandbox}");
        return PolicyTables.OfRelayed(ingress, service, family, ranges, turns) is not { } balanced ? null : balanced with
        {
            Name = Prefix + service.ServiceId,
            Chains =
            [
                // Before the rules of all other ports and of backends that refuse: who translates first has the flow.
                new("arriving", "type nat hook prerouting priority -115; policy accept;",
                    [.. ranges.Select(r => $"iifname \"eth1\" tcp dport {r.Ports} dnat to {relay}")]),
                .. balanced.Chains,
                new("lent", "type nat hook postrouting priority srcnat - 5; policy accept;", [$"oifname \"eth0\" {ip} saddr {StandIns.Of(family)} snat to {own}"]),
                new("entrance", "type filter hook input priority filter; policy accept;", [$"tcp dport {Port} ct status ! dnat reject with tcp reset"]),
                new("exit", "type filter hook output priority filter; policy accept;",
                [
                    SegmentRules.Rule,
                    // While the relay starts, nobody is refused: the client's kernel repeats its SYN. Only the refusal of a SYN has no
                    // sequence number of its own (RFC 9293, 3.10.7.1).
                    $"tcp sport {Port} ct status dnat tcp flags rst,ack / syn,rst,ack tcp sequence 0 drop",
                ]),
            ],
        };
    }
}
