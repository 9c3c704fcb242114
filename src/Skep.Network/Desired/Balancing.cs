using System.Collections.Immutable;
using System.Net;

namespace Skep.Network.Desired;

/// <summary>The rules that send each new flow to the next of several addresses.</summary>
internal static class Balancing
{
    /// <summary>Without a backend the chain is empty: the flow stays in this namespace, where nobody listens, and is refused at once.</summary>
    public static WantedChain ChainOf(WantedBalance balance) =>
        new(balance.Chain, null, balance.Backends.IsEmpty ? [] : [$"meta l4proto {Protocols(balance)} {To(balance.Backends)}{(balance.Port is null ? "" : $":{balance.Port}")}"]);

    private static string Protocols(WantedBalance balance) =>
        balance.Key.Split(" . ") is [var protocol, _] ? protocol : "{ tcp, udp }";

    private static string To(ImmutableArray<IPAddress> backends) => backends.Length == 1
        ? $"dnat to {backends[0]}"
        : $"dnat to numgen inc mod {backends.Length} map {{ {string.Join(", ", backends.Select((a, i) => $"{i} : {a}"))} }}";
}
