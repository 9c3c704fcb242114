using System.Collections.Immutable;

namespace Skep.Network.Desired;

/// <summary>One nftables table, written as <c>nft list table</c> prints it, so that what is there can be compared with what is wanted.</summary>
public sealed record WantedTable(string Family, string Name)
{
    /// <summary>The name of every table of ours.</summary>
    public const string Ours = "skep";

    public ImmutableArray<WantedSet> Sets { get; init; } = [];
    public ImmutableArray<WantedChain> Chains { get; init; } = [];
}

/// <summary>A named set or map. Kind is <c>set</c> or <c>map</c>; an element of a map is <c>key : value</c>.</summary>
public sealed record WantedSet(string Kind, string Name, string Type, ImmutableArray<string> Elements);

/// <summary>A chain; a base chain has its hook line (<c>type … hook … priority …; policy accept;</c>).</summary>
public sealed record WantedChain(string Name, string? Hook, ImmutableArray<string> Rules);
