using System.Collections.Immutable;

namespace Skep.Network.Desired;

/// <summary>
/// IPv6 where everything is known: the managers gave the addresses, so nobody searches for duplicates (which takes a second or two), nobody
/// asks for routers, and nobody believes one.
/// </summary>
internal static class IPv6Settings
{
    private static readonly (string Name, string Value)[] s_quiet = [("accept_dad", "0"), ("accept_ra", "0"), ("autoconf", "0"), ("router_solicitations", "0")];

    /// <summary>A namespace of ours; <c>default</c> is what its links begin with.</summary>
    public static ImmutableArray<WantedSysctl> Of(bool enabled, bool forwarding = true) => enabled
        ?
        [
            .. s_quiet.Select(s => new WantedSysctl($"net.ipv6.conf.default.{s.Name}", s.Value)),
            new("net.ipv6.conf.all.disable_ipv6", "0"),
            new("net.ipv6.conf.all.forwarding", forwarding ? "1" : "0"),
        ]
        : [new("net.ipv6.conf.all.disable_ipv6", "1") { Optional = true }];

    /// <summary>One link of a container; set once, then its owner's.</summary>
    public static IEnumerable<WantedSysctl> OfLink(string link, bool enabled)
    {
        (string Name, string Value)[] wanted = enabled ? [.. s_quiet, ("accept_redirects", "0"), ("disable_ipv6", "0")] : [("disable_ipv6", "1")];
        return wanted.Select(s => new WantedSysctl($"net.ipv6.conf.{link}.{s.Name}", s.Value) { Once = true, Optional = true });
    }
}
