using System.Net;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.Model.Rules;

/// <summary>Where a network's subnets mean something else to a node: its containers there reach each other, and not the node's neighbours.</summary>
public static class HostOverlaps
{
    /// <summary>A driver option: the network's maker knows of the overlap and wants it.</summary>
    public const string AllowOption = "skep.overlap";

    private const string Allow = "allow";

    /// <summary>Each overlap of these subnets with these nodes, in the order of the nodes.</summary>
    public static IEnumerable<HostOverlap> Of(IEnumerable<IpamConfig> subnets, IEnumerable<SwarmNode> nodes)
    {
        var networks = subnets.Select(s => Parse(s.Subnet)).OfType<IPNetwork>().ToList();
        return from node in nodes.OrderBy(n => n.Description?.Hostname, StringComparer.Ordinal).ThenBy(n => n.Id, StringComparer.Ordinal)
               from prefix in node.Description?.Prefixes ?? []
               where Parse(prefix.Prefix) is { } there && networks.Exists(n => Overlap(n, there))
               select new HostOverlap(node, prefix);
    }

    public static bool Meets(IEnumerable<IpamConfig> subnets, IReadOnlyList<IPNetwork> prefixes) =>
        subnets.Select(s => Parse(s.Subnet)).OfType<IPNetwork>().Any(n => prefixes.Any(p => Overlap(n, p)));

    public static bool IsAllowed(NetworkSpec spec) => spec.DriverConfiguration?.Options?.GetValueOrDefault(AllowOption) == Allow;

    /// <summary>What automatic choices keep away from.</summary>
    public static IEnumerable<IPNetwork> PrefixesOf(IEnumerable<SwarmNode> nodes) =>
        nodes.SelectMany(n => n.Description?.Prefixes ?? []).Select(p => Parse(p.Prefix)).OfType<IPNetwork>().Distinct();

    private static IPNetwork? Parse(string? text) => IPNetwork.TryParse(text, out var network) ? network : null;

    private static bool Overlap(IPNetwork one, IPNetwork other) =>
        one.BaseAddress.AddressFamily == other.BaseAddress.AddressFamily && (one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress));
}

public sealed record HostOverlap(SwarmNode Node, HostPrefix Prefix)
{
    /// <summary>route 10.77.0.0/24 dev eth0 of node node1.</summary>
    public override string ToString() => $"{Prefix.What} of node {(Node.Description?.Hostname is { Length: > 0 } name ? name : Node.Id)}";
}
