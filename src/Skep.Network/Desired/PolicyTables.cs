using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// A table for one service whose flows are not simply shared out in turn by VIP or single port: affinity, random choice, ranges
/// of ports, and ports that are not open to all. It comes before the balancer of all others, which stays behind it; such services are few.
/// </summary>
internal static class PolicyTables
{
    /// <summary>Every such table's name begins with it.</summary>
    public const string Prefix = "skep-service-";

    // A client beyond these is balanced like a new one each time.
    private const int MostClients = 65536;

    /// <summary>The table of a service on an overlay network; null when the balancer of all serves it.</summary>
    public static WantedTable? OfVip(NetworkView network, PlanService service, AddressFamily family)
    {
        var vip = service.Vips.Select(Addressing.AddressOf).FirstOrDefault(a => a.AddressFamily == family);
        return vip is null || !IsSpecial(service)
            ? null
            : Of(service, family, Backends(network, service, family), [(Match: $"{Word(family)} daddr {vip} meta l4proto {{ tcp, udp }}", Port: null)], Entrance.Vips);
    }

    /// <summary>The table of the ports that a service publishes on this host; null when the balancer of all serves them.</summary>
    public static WantedTable? OfPorts(NetworkView ingress, PlanService service, AddressFamily family, IReadOnlyCollection<PublishedRange> published)
    {
        var ranges = published.Where(r => HasOwnRule(service, r)).ToList();
        var guarded = ranges.Where(r => r.IsGuarded).ToList();
        return guarded.Count == 0
            ? Of(service, family, Backends(ingress, service, family), [.. ranges.SelectMany(r => RulesOf(r, ""))], Entrance.Ports)
            // Past refusals there is a way for ports that are open to all; here who refuses is left out.
            : Of(
                service,
                family,
                ingress.Backends(service, family, ingress.Refusing(service).Select(r => r.Address)),
                [.. ranges.SelectMany(r => RulesOf(r, r.IsGuarded ? $"{Word(family)} saddr . {Word(family)} daddr . meta l4proto . th dport @guarded " : ""))],
                Entrance.Ports) is { } table
                ? table with { Sets = [Guard(family, guarded), .. table.Sets] }
                : null;
    }

    /// <summary>How the flows that come in by <paramref name="entrance"/> to these relayed ports are balanced; null without a backend.</summary>
    public static WantedTable? OfRelayed(NetworkView ingress, PlanService service, AddressFamily family, IReadOnlyCollection<PublishedRange> ranges, Entrance entrance)
    {
        var targets = ranges.SelectMany(r => Enumerable.Range((int)r.Target, (int)(r.Last - r.First + 1))).ToHashSet();
        // Who refuses one of them is left out for all: they are few, and one program serves them.
        var refusing = ingress.Refusing(service).Where(r => IsSpecial(service) || targets.Contains(r.Port)).Select(r => r.Address);
        return Of(service, family, ingress.Backends(service, family, refusing), [.. ranges.SelectMany(r => RulesOf(r, entrance.Match + " "))], entrance);
    }

    /// <summary>The ports are balanced here, not one by one by the balancer of all.</summary>
    public static bool HasOwnRule(PlanService service, PublishedRange range) => IsSpecial(service) || range.IsRelayed || range.IsGuarded || (!range.IsSingle && range.KeepsPorts);

    /// <summary>Its flows are not simply shared out in turn.</summary>
    public static bool IsSpecial(PlanService service) => service.Balance?.Mode is BalanceMode.Source or BalanceMode.Random;

    // Who refuses one port is left out for all: a client must not change its backend with the port that it asks.
    private static ImmutableArray<IPAddress> Backends(NetworkView network, PlanService service, AddressFamily family) => IsSpecial(service)
        ? network.Backends(service, family, network.Refusing(service).Select(r => r.Address))
        : network.Backends(service, family);

    // nft translates no range of ports by an offset: shifted ones have a rule each.
    private static IEnumerable<(string Match, TargetPort? Port)> RulesOf(PublishedRange range, string who)
    {
        if (range.KeepsPorts)
        {
            yield return ($"{who}{range.Protocol} dport {range.Ports}", null);
            yield break;
        }

        for (uint i = 0; i <= range.Last - range.First; i++)
        {
            yield return (string.Create(CultureInfo.InvariantCulture, $"{who}{range.Protocol} dport {range.First + i}"), new TargetPort(range.Protocol, range.Target + i));
        }
    }

    private static WantedSet Guard(AddressFamily family, IEnumerable<PublishedRange> ranges)
    {
        var type = family == AddressFamily.InterNetwork ? "ipv4_addr" : "ipv6_addr";
        return new WantedSet(
            "set", "guarded", $"{type} . {type} . inet_proto . inet_service; flags interval", [.. ranges.SelectMany(r => r.Guarded(family)).Order(StringComparer.Ordinal)]);
    }

    // Without a backend nothing is translated: the flow stays in this namespace, which refuses it.
    private static WantedTable? Of(PlanService service, AddressFamily family, ImmutableArray<IPAddress> backends, ImmutableArray<(string Match, TargetPort? Port)> rules, Entrance entrance)
    {
        if (backends.IsEmpty || rules.IsEmpty)
        {
            return null;
        }

        return service.Balance?.Mode == BalanceMode.Source
            ? WithAffinity(service, family, backends, rules, entrance)
            : new WantedTable(Word(family), Prefix + service.ServiceId)
            {
                Chains = [.. Entry(entrance, rules, port => $"dnat to {Next(service, backends, a => Target(a, port, backends.Length == 1), "map")}{PortOf(port)}")],
            };
    }

    // Each backend remembers its clients. A client that nobody remembers is served in turn; one whose backend is gone as well.
    private static WantedTable WithAffinity(
        PlanService service, AddressFamily family, ImmutableArray<IPAddress> backends, ImmutableArray<(string Match, TargetPort? Port)> rules, Entrance entrance)
    {
        var (ip, type) = family == AddressFamily.InterNetwork ? ("ip", "ipv4_addr") : ("ip6", "ipv6_addr");
        var form = string.Create(
            CultureInfo.InvariantCulture, $"{type}; size {MostClients}; flags dynamic,timeout; timeout {Duration(service.Balance!.AffinitySeconds ?? 10800)}");
        ImmutableArray<IPAddress> distinct = [.. backends.Distinct()];
        var chains = ImmutableArray.CreateBuilder<WantedChain>();
        chains.AddRange(Entry(entrance, rules, port => $"goto turn{Suffix(port)}"));
        foreach (var port in rules.Select(r => r.Port).Distinct())
        {
            chains.Add(new WantedChain($"turn{Suffix(port)}", null,
            [
                .. distinct.Select(a => $"{ip} saddr @{ClientsOf(a)} goto {ToBackend(a, port)}"),
                backends.Length == 1 ? $"goto {ToBackend(backends[0], port)}" : Next(service, backends, a => $"goto {ToBackend(a, port)}", "vmap"),
            ]));
            chains.AddRange(distinct.Select(a => new WantedChain(ToBackend(a, port), null,
                [$"update @{ClientsOf(a)} {{ {ip} saddr }}", $"{ProtocolOf(port)}dnat to {Target(a, port, alone: true)}{PortOf(port)}"])));
        }

        return new WantedTable(ip, Prefix + service.ServiceId)
        {
            Sets = [.. distinct.Select(a => new WantedSet("set", ClientsOf(a), form, []))],
            Chains = chains.ToImmutable(),
        };

        static string ToBackend(IPAddress address, TargetPort? port) => $"to-{NameOf(address)}{Suffix(port)}";
        static string ClientsOf(IPAddress address) => $"clients-{NameOf(address)}";
    }

    // What comes in by several ways takes its turns together.
    private static IEnumerable<WantedChain> Entry(Entrance entrance, ImmutableArray<(string Match, TargetPort? Port)> rules, Func<TargetPort?, string> action)
    {
        ImmutableArray<string> lines = [.. rules.Select(r => $"{r.Match} {action(r.Port)}")];
        return entrance.Bases is [var (only, hook)]
            ? [new WantedChain(only, hook, lines)]
            : [.. entrance.Bases.Select(b => new WantedChain(b.Chain, b.Hook, [$"{entrance.Match} jump ports"])), new WantedChain("ports", null, lines)];
    }

    private static string Next(PlanService service, ImmutableArray<IPAddress> backends, Func<IPAddress, string> item, string kind)
    {
        var choice = service.Balance?.Mode == BalanceMode.Random ? "random" : "inc";
        return backends.Length == 1
            ? item(backends[0])
            : $"numgen {choice} mod {backends.Length} {kind} {{ {string.Join(", ", backends.Select((a, i) => $"{i} : {item(a)}"))} }}";
    }

    // A name in nftables has no colons.
    private static string NameOf(IPAddress address) => address.ToString().Replace(':', '_');

    private static string Target(IPAddress address, TargetPort? port, bool alone) =>
        alone && port is not null && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();

    private static string PortOf(TargetPort? port) => port is null ? "" : string.Create(CultureInfo.InvariantCulture, $":{port.Number}");

    // A port is translated only where the rule itself says of which protocol it is.
    private static string ProtocolOf(TargetPort? port) => port is null ? "" : $"meta l4proto {port.Protocol} ";

    private static string Suffix(TargetPort? port) => port is null ? "" : string.Create(CultureInfo.InvariantCulture, $"-{port.Protocol}-{port.Number}");

    private static string Word(AddressFamily family) => family == AddressFamily.InterNetwork ? "ip" : "ip6";

    /// <summary>As nft prints durations: 1d2h3m4s.</summary>
    private static string Duration(uint seconds)
    {
        var span = TimeSpan.FromSeconds(seconds);
        (int Number, char Unit)[] parts = [(span.Days, 'd'), (span.Hours, 'h'), (span.Minutes, 'm'), (span.Seconds, 's')];
        return string.Concat(parts.Where(p => p.Number > 0).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Number}{p.Unit}")));
    }

    /// <summary>Where flows come in: base chains, and what is matched there.</summary>
    internal sealed record Entrance(ImmutableArray<(string Chain, string Hook)> Bases, string Match)
    {
        private const string Coming = "type nat hook prerouting priority dstnat - 5; policy accept;";

        /// <summary>In an overlay network's namespace: nobody there asks himself.</summary>
        public static readonly Entrance Vips = new([("prerouting", Coming)], "");

        /// <summary>On the host, whose own programs ask as well.</summary>
        public static readonly Entrance Ports = new([("prerouting", Coming), ("output", "type nat hook output priority -105; policy accept;")], "fib daddr type local");
    }

    /// <summary>The tasks' own port, where it is another than the published one.</summary>
    private sealed record TargetPort(string Protocol, uint Number);
}
