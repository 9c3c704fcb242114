using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Skep.Network.Desired;

/// <summary>
/// The answer for addresses of a network that nobody has any more: a reset, or that the port is unreachable. Flows that go straight to a
/// task's address (balanced at the socket, or found by <c>tasks.</c>) are translated by nobody, so nothing else ends them.
/// </summary>
internal static class VacantRules
{
    /// <summary>The name of the set of addresses that somebody has.</summary>
    public const string Occupied = "occupied";
    private const string Vacant = "vacant";

    /// <summary>The addresses that somebody has: sandboxes of this node, endpoints of others.</summary>
    public static WantedSet Set(AddressFamily family) => new("set", Occupied, family == AddressFamily.InterNetwork ? "ipv4_addr" : "ipv6_addr", []);

    /// <summary>What an endpoint or a sandbox adds to <see cref="Set"/>.</summary>
    public static IEnumerable<WantedElement> Places(NetworkView network, IEnumerable<IPAddress> addresses) =>
        network.Network.Ingress ? [] : addresses.Where(a => network.Has(a.AddressFamily)).Select(a => new WantedElement(Word(a.AddressFamily), Occupied, a.ToString(), null));

    public static IEnumerable<WantedChain> Chains(NetworkView network, AddressFamily family)
    {
        var ip = Word(family);
        var six = family == AddressFamily.InterNetworkV6;
        yield return new WantedChain(Vacant, null,
        [
            // Who asked is there, though this node's plan may not say so yet.
            "ct direction reply accept",
            // Flows that were translated are led to another backend (FlowStep).
            "ct status dnat accept",
            // VIPs and gateways are the bridge's own.
            "fib daddr type != unicast accept",
            // A client's kernel makes sure of its neighbour, and believes silence.
            .. six ? (ImmutableArray<string>)["icmpv6 type nd-neighbor-solicit accept"] : [],
            "reject with tcp reset",
            "reject",
        ]);
        // Without a plan nobody's absence is known. A vanished MAC is flooded, so at the forward hook each port's copy would be answered, or none.
        yield return new WantedChain("absent", "type filter hook prerouting priority filter; policy accept;",
        [
            .. network.HasPlan
                ? network.Network.Subnets.Select(s => s.Subnet).OfType<string>().Where(s => Addressing.IsSix(s) == six)
                    .Select(s => $"{ip} daddr {SubnetOf(s)} {ip} daddr != @{Occupied} jump {Vacant}")
                : [],
        ]);
    }

    private static IPNetwork SubnetOf(string prefix)
    {
        var (address, length) = Addressing.Split(prefix);
        return Addressing.NetworkOf(address, length);
    }

    private static string Word(AddressFamily family) => family == AddressFamily.InterNetwork ? "ip" : "ip6";
}
