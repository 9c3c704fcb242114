using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// The rules about backends that refuse. They tell the daemon who answers and who refuses, repeat a refused SYN to another
/// backend, and lead a port's new flows past the backends that refuse it. A packet that opens or ends no flow costs one look at its flags.
/// </summary>
internal static class RefusalRules
{
    /// <summary>Where signs are logged to; a number of each namespace, and of the host one that nobody else is likely to listen to.</summary>
    public const ushort LogGroup = 23790;

    /// <summary>Bytes of a logged packet: an IPv6 header, ICMP's and the headers of the datagram that it quotes.</summary>
    public const ushort LogLength = 128;

    /// <summary>The map that leads a port's flows past backends that refuse it.</summary>
    public const string Detours = "detours";

    /// <summary>The chain that tells who answers and who refuses.</summary>
    public const string SignsName = "signs";

    private const string Retried = "retried";
    private const byte Tcp = 6;

    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="key">The type of a balance's key with its port.</param>
    public static IEnumerable<WantedSet> Sets(AddressFamily family, string key)
    {
        var type = family == AddressFamily.InterNetwork ? "ipv4_addr" : "ipv6_addr";
        yield return new WantedSet("map", Detours, $"{key} : verdict", []);
        yield return new WantedSet("set", Retried, key, []);
        yield return Answering(family);
        yield return Dynamic("repeated", $"{type} . inet_service", "30s");
    }

    /// <summary>Backends that are known to answer: for a while, so that a busy one's answers are told once in ten seconds and not with every flow.</summary>
    public static WantedSet Answering(AddressFamily family) =>
        Dynamic("answering", $"{(family == AddressFamily.InterNetwork ? "ipv4_addr" : "ipv6_addr")} . inet_proto . inet_service", "10s");

    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="key">The key of <see cref="Detours"/> in a flow's first packet.</param>
    /// <param name="original">The key of <see cref="Retried"/> in the flow's first packet, from its entry in conntrack.</param>
    /// <param name="host">The host's programs ask, too, and most of its packets are none of the swarm's: it leads to <c>signs</c> what comes from backends.</param>
    public static IEnumerable<WantedChain> Chains(AddressFamily family, string key, string original, bool host = false)
    {
        var ip = family == AddressFamily.InterNetwork ? "ip" : "ip6";
        // Before every table that balances (PolicyTables are at dstnat - 5): who translates first has the flow.
        yield return new WantedChain("past-refusals", "type nat hook prerouting priority dstnat - 10; policy accept;", [$"{key} vmap @{Detours}"]);
        if (host)
        {
            yield return new WantedChain("own-past-refusals", "type nat hook output priority -110; policy accept;", [$"{key} vmap @{Detours}"]);
        }

        var signs = Signs(family, null, $"tcp flags rst,ack / syn,rst,ack tcp sequence 0 {original} @{Retried} jump repeat");
        yield return host ? signs with { Hook = null } : signs;
        // The client never hears of the refusal; a second later its kernel sends the SYN again, which opens a new flow to another
        // backend. Once for each of its sockets: what is refused again is refused.
        yield return new WantedChain("repeat", null,
        [
            $"{ip} daddr . tcp dport @repeated return",
            $"add @repeated {{ {ip} daddr . tcp dport }} drop",
        ]);
    }

    /// <summary>Tells the daemon who answers and who refuses.</summary>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="link">By which backends answer; null = any.</param>
    /// <param name="refused">What is done about a refused SYN besides.</param>
    public static WantedChain Signs(AddressFamily family, string? link, params string[] refused)
    {
        var (ip, unreachable) = family == AddressFamily.InterNetwork
            ? ("ip", "icmp type destination-unreachable icmp code port-unreachable")
            : ("ip6", "icmpv6 type destination-unreachable icmpv6 code port-unreachable");
        var log = string.Create(CultureInfo.InvariantCulture, $"log group {LogGroup} snaplen {LogLength} queue-threshold 1");
        string[] elsewhere = link is null ? [] : [$"iifname != \"{link}\" accept"];
        return new WantedChain(SignsName, "type filter hook prerouting priority mangle; policy accept;",
        [
            .. elsewhere,
            "tcp flags ! syn,rst accept",
            $"tcp flags syn,ack / syn,rst,ack {ip} saddr . meta l4proto . tcp sport @answering accept",
            $"tcp flags syn,ack / syn,rst,ack limit rate 100/second burst 100 packets add @answering {{ {ip} saddr . meta l4proto . tcp sport }} {log}",
            // Only the refusal of a SYN has no sequence number of its own (RFC 9293, 3.10.7.1).
            $"tcp flags rst,ack / syn,rst,ack tcp sequence 0 limit rate 100/second burst 100 packets {log}",
            .. refused,
            // What a backend says to an answer to its own question is about no port that it serves.
            $"{unreachable} ct direction reply limit rate 50/second burst 50 packets {log}",
        ]);
    }

    /// <summary>The balances that lead past refusing backends, one for each of their ports.</summary>
    /// <param name="network">The network.</param>
    /// <param name="service">Whose backends they are.</param>
    /// <param name="plain">The balance of the service's VIP or published port, as it is without refusals.</param>
    /// <param name="key">The key of one port; null = the balance is not for that port.</param>
    public static IEnumerable<WantedBalance> Detour(NetworkView network, PlanService service, WantedBalance plain, Func<byte, ushort, string?> key)
    {
        // Affinity must outlast the absence of one backend; there the whole address is left out, by the service's own table.
        if (PolicyTables.IsSpecial(service))
        {
            yield break;
        }

        foreach (var port in network.Refusing(service).GroupBy(r => (r.Protocol, r.Port)).OrderBy(p => p.Key))
        {
            var rest = network.Backends(service, FamilyOf(plain), port.Select(r => r.Address));
            if (key(port.Key.Protocol, port.Key.Port) is { } own && !rest.SequenceEqual(plain.Backends))
            {
                yield return plain with { Key = own, Chain = $"{plain.Chain}-{Word(port.Key.Protocol)}-{port.Key.Port}", Backends = rest, Map = Detours };
            }
        }
    }

    /// <summary>The ports whose refused SYNs are repeated: a backend has answered there lately, and another one is left.</summary>
    public static IEnumerable<WantedElement> Retries(NetworkView network, PlanService service, WantedBalance plain, Func<byte, ushort, string?> key)
    {
        foreach (var (protocol, port) in network.Answering(service).Where(p => p.Protocol == Tcp).Order())
        {
            var refusing = network.Refusing(service).Where(r => (r.Protocol, r.Port) == (protocol, port)).Select(r => r.Address).ToHashSet();
            if (key(protocol, port) is { } own && HasCompany(network, service, FamilyOf(plain), refusing))
            {
                yield return new WantedElement(plain.Family, Retried, own, null);
            }
        }
    }

    /// <summary>The key of a VIP's port.</summary>
    public static string Key(string vip, byte protocol, ushort port) => string.Create(CultureInfo.InvariantCulture, $"{vip} . {Word(protocol)} . {port}");

    public static string Word(byte protocol) => protocol == Tcp ? "tcp" : "udp";

    // Whoever is next may refuse as well; then there must be somebody after him.
    private static bool HasCompany(NetworkView network, PlanService service, AddressFamily family, HashSet<IPAddress> refusing)
    {
        var first = network.Backends(service, family, refusing).Where(a => !refusing.Contains(a)).ToHashSet();
        return first.Count > 1
            || (first.Count == 1 && network.Backends(service, family, refusing.Union(first)).Any(a => !refusing.Contains(a) && !first.Contains(a)));
    }

    private static AddressFamily FamilyOf(WantedBalance balance) => balance.Family == "ip" ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;

    private static WantedSet Dynamic(string name, string type, string timeout) =>
        new("set", name, $"{type}; size 65535; flags dynamic,timeout; timeout {timeout}", []);
}
