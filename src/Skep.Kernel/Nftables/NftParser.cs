using System.Collections.Immutable;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.NfTables;

namespace Skep.Kernel.Nftables;

/// <summary>Reads the kernel's answers about nftables.</summary>
internal static class NftParser
{
    /// <summary>Null: it is of a family that we do not know.</summary>
    public static NftTableState? Table(NetlinkMessage message)
    {
        if (NftNumbers.FamilyOf(message.Header<NfGenMessage>().Family) is not { } family)
        {
            return null;
        }

        var name = message.AttributesAfter<NfGenMessage>().Find(NFTA_TABLE_NAME).Text;
        var flags = message.AttributesAfter<NfGenMessage>().Find(NFTA_TABLE_FLAGS).UInt32BigEndian;
        return new NftTableState(new NftTable(family, name), (flags & NFT_TABLE_F_DORMANT) != 0, (flags & NFT_TABLE_F_OWNER) != 0);
    }

    public static ChainOfTable Chain(NetlinkMessage message)
    {
        var (table, chain) = ("", new NftChain(""));
        var attributes = message.AttributesAfter<NfGenMessage>();
        while (attributes.Next(out var attribute))
        {
            switch (attribute.Type)
            {
                case NFTA_CHAIN_TABLE:
                    table = attribute.Text;
                    break;
                case NFTA_CHAIN_NAME:
                    chain = chain with { Name = attribute.Text };
                    break;
                case NFTA_CHAIN_TYPE:
                    chain = chain with { Type = attribute.Text };
                    break;
                case NFTA_CHAIN_POLICY:
                    chain = chain with { Accepts = attribute.UInt32BigEndian == 1 };
                    break;
                case NFTA_CHAIN_HOOK:
                    chain = chain with
                    {
                        Hook = attribute.Nested.Find(NFTA_HOOK_HOOKNUM).UInt32BigEndian,
                        Priority = (int)attribute.Nested.Find(NFTA_HOOK_PRIORITY).UInt32BigEndian,
                    };
                    break;
            }
        }

        return new ChainOfTable(table, chain);
    }

    public static NftMap? Map(NetlinkMessage message)
    {
        var map = new NftMap("", 0, 0, 0, 0);
        var isMap = false;
        var attributes = message.AttributesAfter<NfGenMessage>();
        while (attributes.Next(out var attribute))
        {
            switch (attribute.Type)
            {
                case NFTA_SET_NAME:
                    map = map with { Name = attribute.Text };
                    break;
                case NFTA_SET_FLAGS:
                    isMap = attribute.UInt32BigEndian == NFT_SET_MAP;
                    break;
                case NFTA_SET_KEY_TYPE:
                    map = map with { KeyType = attribute.UInt32BigEndian };
                    break;
                case NFTA_SET_KEY_LEN:
                    map = map with { KeyLength = attribute.UInt32BigEndian };
                    break;
                case NFTA_SET_DATA_TYPE:
                    map = map with { DataType = attribute.UInt32BigEndian };
                    break;
                case NFTA_SET_DATA_LEN:
                    map = map with { DataLength = attribute.UInt32BigEndian };
                    break;
            }
        }

        // How long a verdict is inside the kernel says nothing. Another kind of set under that name shows as a map of another form.
        map = map.DataType == NftMap.Verdict ? map with { DataLength = 0 } : map;
        return isMap ? map : map with { KeyLength = 0 };
    }

    public static NftRule? Rule(NetlinkMessage message, string table)
    {
        var attributes = message.AttributesAfter<NfGenMessage>();
        var (belongs, chain) = (false, "");
        var expressions = ImmutableArray.CreateBuilder<NftExpression>(4);
        while (attributes.Next(out var attribute))
        {
            if (attribute.Type == NFTA_RULE_TABLE)
            {
                belongs = attribute.Text == table;
            }
            else if (attribute.Type == NFTA_RULE_CHAIN)
            {
                chain = attribute.Text;
            }
            else if (attribute.Type == NFTA_RULE_EXPRESSIONS)
            {
                var list = attribute.Nested;
                while (list.Next(out var element))
                {
                    expressions.Add(Expression(element));
                }
            }
        }

        return belongs ? new NftRule(chain, expressions.ToImmutable()) : null;
    }

    public static List<NftElement> Elements(NetlinkMessage message)
    {
        var found = new List<NftElement>();
        var list = message.AttributesAfter<NfGenMessage>().Find(NFTA_SET_ELEM_LIST_ELEMENTS).Nested;
        while (list.Next(out var element))
        {
            var attributes = element.Nested;
            var (key, value, jump) = (default(NftBytes), default(NftBytes), (string?)null);
            while (attributes.Next(out var attribute))
            {
                if (attribute.Type == NFTA_SET_ELEM_KEY)
                {
                    key = new NftBytes(attribute.Nested.Find(NFTA_DATA_VALUE).Value);
                }
                else if (attribute.Type == NFTA_SET_ELEM_DATA)
                {
                    value = new NftBytes(attribute.Nested.Find(NFTA_DATA_VALUE).Value);
                    var verdict = attribute.Nested.Find(NFTA_DATA_VERDICT);
                    if (verdict.Value.Length > 0)
                    {
                        // A verdict that is no jump leads to no chain of ours.
                        jump = verdict.Nested.Find(NFTA_VERDICT_CODE).UInt32BigEndian == NFT_JUMP ? verdict.Nested.Find(NFTA_VERDICT_CHAIN).Text : "";
                    }
                }
            }

            found.Add(new NftElement(key, value, jump));
        }

        return found;
    }

    private static NftExpression Expression(NetlinkAttribute element)
    {
        var name = element.Nested.Find(NFTA_EXPR_NAME).Text;
        var data = element.Nested.Find(NFTA_EXPR_DATA);
        NftExpression? known = name switch
        {
            "meta" when data.Nested.Find(NFTA_META_DREG).Value.Length > 0 => new NftMeta(Number(data, NFTA_META_KEY), Number(data, NFTA_META_DREG)),
            "cmp" when Number(data, NFTA_CMP_OP) == NFT_CMP_EQ =>
                new NftCompare(Number(data, NFTA_CMP_SREG), new NftBytes(data.Nested.Find(NFTA_CMP_DATA).Nested.Find(NFTA_DATA_VALUE).Value)),
            "payload" when data.Nested.Find(NFTA_PAYLOAD_DREG).Value.Length > 0 => new NftPayload(
                Number(data, NFTA_PAYLOAD_BASE), Number(data, NFTA_PAYLOAD_OFFSET), Number(data, NFTA_PAYLOAD_LEN), Number(data, NFTA_PAYLOAD_DREG)),
            "fib" when Number(data, NFTA_FIB_FLAGS) == NFTA_FIB_F_DADDR && Number(data, NFTA_FIB_RESULT) == NFT_FIB_RESULT_ADDRTYPE =>
                new NftDestinationType(Number(data, NFTA_FIB_DREG)),
            "numgen" => new NftNumber(Number(data, NFTA_NG_DREG), Number(data, NFTA_NG_MODULUS), Number(data, NFTA_NG_OFFSET), Number(data, NFTA_NG_TYPE) == 1),
            "lookup" when Number(data, NFTA_LOOKUP_FLAGS) == 0 =>
                new NftLookup(data.Nested.Find(NFTA_LOOKUP_SET).Text, Number(data, NFTA_LOOKUP_SREG), Number(data, NFTA_LOOKUP_DREG)),
            "nat" when Number(data, NFTA_NAT_TYPE) == NFT_NAT_DNAT => Nat(data),
            _ => null,
        };
        return known ?? new NftOther(name);
    }

    private static NftDestinationNat? Nat(NetlinkAttribute data)
    {
        var port = Number(data, NFTA_NAT_REG_PROTO_MIN);
        return NftNumbers.FamilyOf(Number(data, NFTA_NAT_FAMILY)) is { } family
            ? new NftDestinationNat(family, Number(data, NFTA_NAT_REG_ADDR_MIN), port == 0 ? null : port)
            : null;
    }

    private static uint Number(NetlinkAttribute data, ushort type) => data.Nested.Find(type).UInt32BigEndian;

    internal sealed record ChainOfTable(string Table, NftChain Chain);
}
