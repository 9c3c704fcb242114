using System.Net;
using System.Net.Sockets;

namespace Skep.Network.Desired;

/// <summary>
/// The packet rules of a container that serves published ports: which node let a flow in, and the way back to it. The source MAC of
/// what comes in is the entry node's: its host's, or its ingress_sbox's where the relay lives. Its last four bytes become the packet's mark, which TCP's sockets take over
/// (net.ipv4.tcp_fwmark_accept) and errors repeat (fwmark_reflect); clients of other protocols are kept in a map. What leaves with a mark
/// gets the MAC of that mark. Connection tracking has no part in it.
/// </summary>
internal static class MeshTables
{
    // As long as connection tracking keeps a stream of datagrams (nf_conntrack_udp_timeout_stream is 120 s), and a little more.
    private const string Patience = "3m";
    private const int MostClients = 65536;

    /// <param name="link">The container's interface on the ingress network.</param>
    /// <param name="own">Its addresses there.</param>
    public static IEnumerable<WantedTable> Of(string link, IReadOnlyList<IPAddress> own) =>
    [
        .. own.DistinctBy(a => a.AddressFamily).Select(a => Entrance(link, a)),
        new("netdev", WantedTable.Ours)
        {
            Sets = [new("map", "entry-nodes", "mark : ether_addr", [])],
            Chains = [new("replies", $"type filter hook egress device \"{link}\" priority filter; policy accept;", ["ether daddr set meta mark map @entry-nodes"])],
        },
    ];

    /// <summary>What lets flows in on a node: its host, or its ingress_sbox.</summary>
    public static IEnumerable<WantedElement> EntryNode(string mac, IEnumerable<AddressFamily> families)
    {
        var mark = $"0x{Addressing.MarkOf(mac):x8}";
        return families.Select(f => new WantedElement(Word(f), "entry-nodes", $"{mark} . {mac}", null)).Append(new WantedElement("netdev", "entry-nodes", mark, mac));
    }

    private static WantedTable Entrance(string link, IPAddress own)
    {
        var six = own.AddressFamily == AddressFamily.InterNetworkV6;
        var ip = Word(own.AddressFamily);
        var (coming, going) = six
            ? ("meta priority . meta l4proto . th sport . th dport", "meta priority . meta l4proto . th dport . th sport")
            : ("ip saddr . meta l4proto . th sport . th dport", "ip daddr . meta l4proto . th dport . th sport");
        return new WantedTable(ip, WantedTable.Ours)
        {
            Sets =
            [
                new("set", "entry-nodes", "mark . ether_addr", []),
                new("map", "clients",
                    $"{(six ? "classid" : "ipv4_addr")} . inet_proto . inet_service . inet_service : mark; size {MostClients}; flags dynamic,timeout; timeout {Patience}", []),
            ],
            Chains =
            [
                new("entrance", "type filter hook prerouting priority mangle; policy accept;",
                [
                    $"iifname != \"{link}\" accept",
                    // Who has the gateway's address, the bridge itself says.
                    .. six ? ["icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"] : Array.Empty<string>(),
                    "meta l4proto { udp, sctp } goto datagrams",
                    "meta mark set @ll,64,32",
                    // Nobody but the nodes themselves has anything to say here.
                    "meta mark . ether saddr != @entry-nodes drop",
                ]),
                // A client that comes by another node than before is answered by that one from now on.
                new("datagrams", null,
                [
                    .. six ? [Short("saddr", own)] : Array.Empty<string>(),
                    $"meta mark set {coming} map @clients",
                    $"meta mark . ether saddr @entry-nodes update @clients {{ {coming} : meta mark }} accept",
                    $"delete @clients {{ {coming} : meta mark }}",
                    "meta mark set @ll,64,32",
                    "meta mark . ether saddr != @entry-nodes drop",
                    $"add @clients {{ {coming} : meta mark }}",
                ]),
                // A socket that is bound to no address answers from the address that the way to the client suggests, which is another
                // network's. With this one as source the packet is routed anew, by the rule for replies.
                new("answers", "type route hook output priority mangle; policy accept;",
                [
                    "meta mark != 0x00000000 accept",
                    "meta l4proto != { udp, sctp } accept",
                    .. six ? [Short("daddr", own)] : Array.Empty<string>(),
                    $"meta mark set {going} map @clients update @clients {{ {going} : meta mark }} {ip} saddr set {own}",
                    .. six ? ["meta priority set none"] : Array.Empty<string>(),
                ]),
            ],
        };
    }

    // nft 1.0 overwrites a key of more than 16 bytes with the value that it puts into the map, so that an IPv6 address stands there as a
    // number, for which the packet's priority is borrowed. The seed is nobody's to know who would like to be taken for another.
    private static string Short(string side, IPAddress own) =>
        $"meta priority set jhash ip6 {side} mod 4294967295 seed 0x{Convert.ToUInt32(Addressing.IdOf(own.ToString())[..8], 16):x}";

    private static string Word(AddressFamily family) => family == AddressFamily.InterNetwork ? "ip" : "ip6";
}
