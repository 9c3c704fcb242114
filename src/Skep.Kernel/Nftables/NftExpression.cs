using Skep.Kernel.Netlink;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;
using static Skep.Kernel.Netlink.Headers.NfTables;

namespace Skep.Kernel.Nftables;

/// <summary>
/// One step of a rule, as the kernel knows it: <c>nft --debug=netlink</c> prints rules in these words. Registers are the kernel's
/// numbers: 1 to 4 have 16 bytes each, 8 and up are their 4-byte parts, and 0 is the verdict.
/// </summary>
public abstract record NftExpression
{
    private protected abstract string Name { get; }

    internal void Write(NetlinkWriter writer)
    {
        var element = writer.BeginNested(NFTA_LIST_ELEM | NLA_F_NESTED);
        writer.Attribute(NFTA_EXPR_NAME, Name);
        var data = writer.BeginNested(NFTA_EXPR_DATA | NLA_F_NESTED);
        WriteData(writer);
        writer.EndNested(data);
        writer.EndNested(element);
    }

    private protected abstract void WriteData(NetlinkWriter writer);
}

/// <summary><c>meta load KEY => reg</c>.</summary>
public sealed record NftMeta(uint Key, uint Register) : NftExpression
{
    public const uint L4Proto = 16;

    private protected override string Name => "meta";

    private protected override void WriteData(NetlinkWriter writer)
    {
        writer.AttributeBigEndian(NFTA_META_KEY, Key);
        writer.AttributeBigEndian(NFTA_META_DREG, Register);
    }
}

/// <summary><c>cmp eq reg DATA</c>: the rule goes on if the register holds just that.</summary>
public sealed record NftCompare(uint Register, NftBytes Data) : NftExpression
{
    private protected override string Name => "cmp";

    private protected override void WriteData(NetlinkWriter writer)
    {
        writer.AttributeBigEndian(NFTA_CMP_SREG, Register);
        writer.AttributeBigEndian(NFTA_CMP_OP, NFT_CMP_EQ);
        var data = writer.BeginNested(NFTA_CMP_DATA | NLA_F_NESTED);
        writer.Attribute(NFTA_DATA_VALUE, Data.Span);
        writer.EndNested(data);
    }
}

/// <summary><c>fib daddr type => reg</c>: what the packet's destination is to this namespace (RTN_… of linux/rtnetlink.h).</summary>
public sealed record NftDestinationType(uint Register) : NftExpression
{
    /// <summary>An address of the namespace's own (RTN_LOCAL), as a register holds it.</summary>
    public static NftBytes Local { get; } = new(BitConverter.GetBytes(2u));

    private protected override string Name => "fib";

    private protected override void WriteData(NetlinkWriter writer)
    {
        writer.AttributeBigEndian(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
        writer.AttributeBigEndian(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
        writer.AttributeBigEndian(NFTA_FIB_DREG, Register);
    }
}

/// <summary><c>payload load LENGTH @ BASE header + OFFSET => reg</c>.</summary>
public sealed record NftPayload(uint Base, uint Offset, uint Length, uint Register) : NftExpression
{
    public const uint NetworkHeader = 1;
    public const uint TransportHeader = 2;

    private protected override string Name => "payload";

    private protected override void WriteData(NetlinkWriter writer)
    {
        writer.AttributeBigEndian(NFTA_PAYLOAD_DREG, Register);
        writer.AttributeBigEndian(NFTA_PAYLOAD_BASE, Base);
        writer.AttributeBigEndian(NFTA_PAYLOAD_OFFSET, Offset);
        writer.AttributeBigEndian(NFTA_PAYLOAD_LEN, Length);
    }
}

/// <summary><c>numgen reg = inc mod MODULUS offset OFFSET</c>: counts flows round; with random any number each time.</summary>
public sealed record NftNumber(uint Register, uint Modulus, uint Offset, bool Random = false) : NftExpression
{
    private protected override string Name => "numgen";

    private protected override void WriteData(NetlinkWriter writer)
    {
        writer.AttributeBigEndian(NFTA_NG_DREG, Register);
        writer.AttributeBigEndian(NFTA_NG_MODULUS, Modulus);
        writer.AttributeBigEndian(NFTA_NG_TYPE, Random ? 1u : 0u);
        writer.AttributeBigEndian(NFTA_NG_OFFSET, Offset);
    }
}

/// <summary><c>lookup reg SOURCE set NAME dreg TARGET</c>; a target of 0 does what the map says of the key (a verdict).</summary>
public sealed record NftLookup(string Set, uint Source, uint Target) : NftExpression
{
    private protected override string Name => "lookup";

    private protected override void WriteData(NetlinkWriter writer)
    {
        writer.Attribute(NFTA_LOOKUP_SET, Set);
        writer.AttributeBigEndian(NFTA_LOOKUP_SREG, Source);
        writer.AttributeBigEndian(NFTA_LOOKUP_DREG, Target);
    }
}

/// <summary><c>nat dnat FAMILY addr_min reg proto_min reg</c>; no port register keeps the flow's port.</summary>
public sealed record NftDestinationNat(NftFamily Family, uint AddressRegister, uint? PortRegister) : NftExpression
{
    private protected override string Name => "nat";

    private protected override void WriteData(NetlinkWriter writer)
    {
        writer.AttributeBigEndian(NFTA_NAT_TYPE, NFT_NAT_DNAT);
        writer.AttributeBigEndian(NFTA_NAT_FAMILY, (uint)NftNumbers.Of(Family));
        writer.AttributeBigEndian(NFTA_NAT_REG_ADDR_MIN, AddressRegister);
        if (PortRegister is { } port)
        {
            writer.AttributeBigEndian(NFTA_NAT_REG_PROTO_MIN, port);
        }
    }
}

/// <summary>An expression that was read and is none of those above.</summary>
public sealed record NftOther(string What) : NftExpression
{
    private protected override string Name => What;

    private protected override void WriteData(NetlinkWriter writer) => throw new NotSupportedException($"expression {What} is only read");
}
