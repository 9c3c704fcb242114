using System.Globalization;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// A second look at where the rules led a new flow: it leaves only towards an address that serves what the client asked for, whoever wrote the
/// rule that chose it. Otherwise its first packet is dropped; a client's kernel repeats that after a second, by when the rules are right again.
/// Translation's last chains see a flow's first packet alone, so the others cost nothing.
/// </summary>
internal static class MemberRules
{
    /// <summary>The set of what may be led where.</summary>
    public const string Members = "members";

    // Ranges of ports that tasks listen on themselves.
    private const string Ranges = "member-ranges";

    // Before all that gives flows another source: a flow that has one is seen by no further chain.
    private const string Leaving = "type nat hook postrouting priority srcnat - 10; policy accept;";

    /// <summary>Of a network's namespace: each VIP with each address that serves it.</summary>
    public static WantedSet OfVips(AddressFamily family) => new("set", Members, $"{Type(family)} . {Type(family)}", []);

    /// <summary>Of a namespace that published ports are balanced in: each with each address and port that serves it.</summary>
    public static IEnumerable<WantedSet> OfPorts(AddressFamily family) =>
    [
        new("set", Members, $"inet_proto . inet_service . {Type(family)} . inet_service", []),
        new("set", Ranges, $"inet_proto . inet_service . {Type(family)}; flags interval", []),
    ];

    public static WantedChain Vips(AddressFamily family)
    {
        var ip = Word(family);
        return new WantedChain(Members, Leaving, [$"ct status dnat ct original {ip} daddr . {ip} daddr != @{Members} drop"]);
    }

    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="link">By which flows to published ports leave.</param>
    public static WantedChain Ports(AddressFamily family, string link)
    {
        var ip = Word(family);
        // Only after its protocol does nft know that what a flow asked for is a port.
        const string asked = "meta l4proto { tcp, udp, sctp } meta l4proto . ct original proto-dst";
        return new WantedChain(Members, Leaving,
        [
            $"oifname != \"{link}\" accept",
            "ct status ! dnat accept",
            $"{asked} . {ip} daddr . th dport @{Members} accept",
            $"{asked} . {ip} daddr @{Ranges} accept",
            "drop",
        ]);
    }

    /// <summary>What a service's VIP adds to <see cref="OfVips"/>.</summary>
    public static IEnumerable<WantedElement> Of(NetworkView network, PlanService service, WantedBalance vip) =>
        network.Members(service, vip.Family == Word(AddressFamily.InterNetwork) ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6)
            .Select(a => new WantedElement(vip.Family, Members, $"{vip.Key} . {a}", null));

    /// <summary>What a service's published ports add to <see cref="OfPorts"/>.</summary>
    public static IEnumerable<WantedElement> Of(NetworkView ingress, PlanService service, IReadOnlyCollection<PublishedRange> ranges) =>
        from family in ingress.MeshFamilies
        from member in ingress.Members(service, family)
        from range in ranges.SelectMany(r => r.Translated())
        select range.IsSingle
            ? new WantedElement(Word(family), Members, string.Create(CultureInfo.InvariantCulture, $"{range.Key} . {member} . {range.Target}"), null)
            : new WantedElement(Word(family), Ranges, $"{range.Key} . {member}", null);

    private static string Type(AddressFamily family) => family == AddressFamily.InterNetwork ? "ipv4_addr" : "ipv6_addr";

    private static string Word(AddressFamily family) => family == AddressFamily.InterNetwork ? "ip" : "ip6";
}
