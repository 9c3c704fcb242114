using System.Collections.Immutable;

namespace Skep.Kernel.Nftables;

/// <summary>A table that was read.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Dormant">Its chains see no packets.</param>
/// <param name="Owned">A program that is running keeps it; nobody else may change it.</param>
public sealed record NftTableState(NftTable Table, bool Dormant, bool Owned);

/// <summary>A chain that was read; one without a hook is only jumped to.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">filter, nat or route; empty without a hook.</param>
/// <param name="Hook">NF_INET_… of linux/netfilter.h.</param>
/// <param name="Priority">Smaller comes first.</param>
/// <param name="Accepts">Packets that come to its end are accepted.</param>
public sealed record NftChain(string Name, string Type = "", uint? Hook = null, int Priority = 0, bool Accepts = true)
{
    /// <summary>NF_INET_PRE_ROUTING.</summary>
    public const uint Prerouting = 0;

    /// <summary>NF_INET_LOCAL_OUT.</summary>
    public const uint Output = 3;
}

/// <summary>A rule that was read. Equal are rules that do the same in chains of one name.</summary>
public sealed record NftRule(string Chain, ImmutableArray<NftExpression> Expressions)
{
    public bool Equals(NftRule? other) => other is not null && Chain == other.Chain && Expressions.SequenceEqual(other.Expressions);

    public override int GetHashCode() => HashCode.Combine(Chain, Expressions.Length);
}

/// <summary>
/// A map's form. Types are nft's numbers of data types (include/datatype.h), each part of a concatenation six bits; lengths are bytes.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="KeyType">What the keys are.</param>
/// <param name="KeyLength">Bytes of a key.</param>
/// <param name="DataType">What the values are; <see cref="Verdict"/> for chains to jump to.</param>
/// <param name="DataLength">Bytes of a value; 0 for verdicts.</param>
public sealed record NftMap(string Name, uint KeyType, uint KeyLength, uint DataType, uint DataLength)
{
    public const uint Integer = 4;
    public const uint IPv4Address = 7;
    public const uint IPv6Address = 8;
    public const uint Protocol = 12;
    public const uint Port = 13;
    public const uint Verdict = Netlink.Headers.NfTables.NFT_DATA_VERDICT;
}

/// <summary>An element of a map: a key with a value, or with a chain to jump to.</summary>
public readonly record struct NftElement(NftBytes Key, NftBytes Value, string? Jump = null);
