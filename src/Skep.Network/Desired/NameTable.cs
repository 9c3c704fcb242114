namespace Skep.Network.Desired;

/// <summary>
/// How 127.0.0.11:53 leads to the name server, in each container. The server listens on a port of its own, so that a container may run a name server
/// itself; rules in its namespace write the port of each packet over, without the kernel keeping track of a flow per query.
/// While nobody listens (the daemon restarts), the kernel's refusals are dropped: the asker repeats its question a little later
/// and is answered, instead of failing at once. What leaves the container is asked nothing but its way out, and a name's packet no more rules than it needs.
/// </summary>
internal static class NameTable
{
    public static WantedTable Wanted { get; } = new("ip", "skep_names")
    {
        Chains =
        [
            new("untracked", "type filter hook output priority raw; policy accept;",
            [
                "oifname != \"lo\" accept",
                $"ip daddr {NamePlace.Address} udp dport 53 notrack udp dport set {NamePlace.Port} accept",
                $"ip saddr {NamePlace.Address} udp sport {NamePlace.Port} notrack udp sport set 53 accept",
                $"ip daddr {NamePlace.Address} tcp dport 53 notrack tcp dport set {NamePlace.Port} accept",
                $"ip saddr {NamePlace.Address} tcp sport {NamePlace.Port} tcp flags rst,ack / rst,ack tcp sequence 0 drop",
                $"ip saddr {NamePlace.Address} tcp sport {NamePlace.Port} notrack tcp sport set 53 accept",
                $"ip saddr {NamePlace.Address} icmp type destination-unreachable drop",
            ]),
        ],
    };
}
