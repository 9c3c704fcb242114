using System.Collections.Immutable;

namespace Skep.Network.Desired;

/// <summary>One nftables table, written as <c>nft list table</c> prints it, so that what is there can be compared with what is wanted.</summary>
public sealed record WantedTable(string Family, string Name)
{
    /// <summary>The name of every table of ours.</summary>
    public const string Ours = "skep";

    /// <summary>
    /// What stands in a table that was read beside sets and chains, such as <c>flags dormant</c> or <c>counter c</c>. Empty in all of ours.
    /// </summary>
    public ImmutableArray<string> Others { get; init; } = [];

    public ImmutableArray<WantedSet> Sets { get; init; } = [];
    public ImmutableArray<WantedChain> Chains { get; init; } = [];

    public bool Equals(WantedTable? other) =>
        ReferenceEquals(this, other)
        || (other is not null && (Family, Name) == (other.Family, other.Name)
            && Others.SequenceEqual(other.Others) && Sets.SequenceEqual(other.Sets) && Chains.SequenceEqual(other.Chains));

    public override int GetHashCode() => HashCode.Combine(Family, Name, Sets.Length, Chains.Length);
}

/// <summary>A named set or map. Kind is <c>set</c> or <c>map</c>; an element of a map is <c>key : value</c>.</summary>
/// <param name="Kind">set or map.</param>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, and what else nft prints of its form: <c>inet_service; flags interval</c>.</param>
/// <param name="Elements">What must be in it; a dynamic set (<see cref="IsDynamic"/>) is filled by packets.</param>
public sealed record WantedSet(string Kind, string Name, string Type, ImmutableArray<string> Elements)
{
    public bool IsDynamic => Type.Contains("flags dynamic", StringComparison.Ordinal);

    /// <summary>A set of addresses, protocols and ports alone: elements of it can be written without libnftables.</summary>
    public bool IsPlain => Kind == "set" && Type.Split(" . ").All(t => t is "ipv4_addr" or "ipv6_addr" or "inet_proto" or "inet_service");

    // Arrays are compared by what is in them.
    public bool Equals(WantedSet? other) =>
        other is not null && (Kind, Name, Type) == (other.Kind, other.Name, other.Type) && Elements.SequenceEqual(other.Elements);

    public override int GetHashCode() => HashCode.Combine(Kind, Name, Elements.Length);
}

/// <summary>A chain; a base chain has its hook line (<c>type … hook … priority …; policy accept;</c>).</summary>
public sealed record WantedChain(string Name, string? Hook, ImmutableArray<string> Rules)
{
    public bool Equals(WantedChain? other) => other is not null && (Name, Hook) == (other.Name, other.Hook) && Rules.SequenceEqual(other.Rules);

    public override int GetHashCode() => HashCode.Combine(Name, Rules.Length);
}
