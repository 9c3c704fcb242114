using System.Net;
using Skep.Kernel.Nftables;

namespace Skep.Network.Dns;

/// <summary>
/// How 127.0.0.11:53 leads to the name server. The server listens on a port of its own, so that a container may run a name server
/// itself; rules in its namespace write the port of each packet over, without the kernel keeping track of a flow per query.
/// While nobody listens (the daemon restarts), the kernel's refusals are dropped: the asker repeats its question a little later
/// and is answered, instead of failing at once. What leaves the container is asked nothing but its way out, and a name's packet no more rules than it needs.
/// </summary>
internal static class NameRules
{
    public const int Port = NamePlace.Port;

    public static readonly IPAddress Server = NamePlace.Address;

    private const string Chain = "untracked";
    private static readonly NftTable s_table = new(NftFamily.Ip, "skep_names");

    /// <summary>Makes the whole table anew; running it again changes nothing.</summary>
    public static NftTransaction Transaction { get; } = new NftTransaction()
        .DeleteTable(s_table)
        .AddTable(s_table)
        .AddChain(s_table, Chain, new NftHook("filter", "output", "raw"))
        .AddRule(s_table, Chain, "oifname != \"lo\" accept")
        .AddRule(s_table, Chain, $"ip daddr {Server} udp dport 53 notrack udp dport set {Port} accept")
        .AddRule(s_table, Chain, $"ip saddr {Server} udp sport {Port} notrack udp sport set 53 accept")
        .AddRule(s_table, Chain, $"ip daddr {Server} tcp dport 53 notrack tcp dport set {Port} accept")
        .AddRule(s_table, Chain, $"ip saddr {Server} tcp sport {Port} tcp flags & (rst | ack) == rst | ack tcp sequence 0 drop")
        .AddRule(s_table, Chain, $"ip saddr {Server} tcp sport {Port} notrack tcp sport set 53 accept")
        .AddRule(s_table, Chain, $"ip saddr {Server} icmp type destination-unreachable drop");
}
