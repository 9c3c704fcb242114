using System.Buffers.Binary;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;
using static Skep.Kernel.Netlink.Headers.Nfnetlink;
using static Skep.Kernel.Netlink.Headers.NfTables;

namespace Skep.Kernel.Nftables;

/// <summary>
/// Changes to nftables as the messages that make them, without the detour over text: libnftables reads back a good part of a
/// namespace's rules before each change. <see cref="NftNetlink.Run"/> sends them as one transaction.
/// </summary>
public sealed class NftBatch
{
    // An attribute's length has 16 bits; an element list stays well below.
    private const int ElementsPerMessage = 250;

    private readonly List<What> _what = [new("the transaction", null, "")];
    private readonly NetlinkWriter _writer = new();
    private uint _sets;
    private bool _closed;

    public NftBatch() => Border(NFNL_MSG_BATCH_BEGIN);

    public bool IsEmpty => _what.Count == 1;

    /// <summary>Each change in words.</summary>
    public IEnumerable<string> Lines => _what.Skip(1).Select(w => w.ToString());

    /// <summary>The messages so far.</summary>
    public ReadOnlySpan<byte> Written => _writer.Written;

    /// <summary><c>add table</c>.</summary>
    public void AddTable(NftTable table)
    {
        var message = Begin(NFT_MSG_NEWTABLE, NLM_F_CREATE, table, new("add table", table, ""));
        _writer.Attribute(NFTA_TABLE_NAME, table.Name);
        _writer.EndMessage(message);
    }

    /// <summary><c>delete table</c>, with all that is in it.</summary>
    public void DeleteTable(NftTable table)
    {
        var message = Begin(NFT_MSG_DELTABLE, 0, table, new("delete table", table, ""));
        _writer.Attribute(NFTA_TABLE_NAME, table.Name);
        _writer.EndMessage(message);
    }

    /// <summary><c>add chain</c>; no error when it is there.</summary>
    public void AddChain(NftTable table, NftChain chain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        var message = Begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE, table, new("add chain", table, chain.Name));
        _writer.Attribute(NFTA_CHAIN_TABLE, table.Name);
        _writer.Attribute(NFTA_CHAIN_NAME, chain.Name);
        if (chain.Hook is { } number)
        {
            var hook = _writer.BeginNested(NFTA_CHAIN_HOOK | NLA_F_NESTED);
            _writer.AttributeBigEndian(NFTA_HOOK_HOOKNUM, number);
            _writer.AttributeBigEndian(NFTA_HOOK_PRIORITY, (uint)chain.Priority);
            _writer.EndNested(hook);
            _writer.AttributeBigEndian(NFTA_CHAIN_POLICY, chain.Accepts ? 1u : 0u);
            _writer.Attribute(NFTA_CHAIN_TYPE, chain.Type);
        }

        _writer.EndMessage(message);
    }

    /// <summary><c>flush chain</c>: its rules go, it stays.</summary>
    public void FlushChain(NftTable table, string chain)
    {
        var message = Begin(NFT_MSG_DELRULE, 0, table, new("flush chain", table, chain));
        _writer.Attribute(NFTA_RULE_TABLE, table.Name);
        _writer.Attribute(NFTA_RULE_CHAIN, chain);
        _writer.EndMessage(message);
    }

    /// <summary><c>delete chain</c>, which must be empty and not jumped to.</summary>
    public void DeleteChain(NftTable table, string chain)
    {
        var message = Begin(NFT_MSG_DELCHAIN, 0, table, new("delete chain", table, chain));
        _writer.Attribute(NFTA_CHAIN_TABLE, table.Name);
        _writer.Attribute(NFTA_CHAIN_NAME, chain);
        _writer.EndMessage(message);
    }

    /// <summary><c>add rule</c> at the chain's end.</summary>
    public void AddRule(NftTable table, NftRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        var message = Begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table, new("add rule", table, rule.Chain));
        _writer.Attribute(NFTA_RULE_TABLE, table.Name);
        _writer.Attribute(NFTA_RULE_CHAIN, rule.Chain);
        var expressions = _writer.BeginNested(NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
        foreach (var expression in rule.Expressions)
        {
            expression.Write(_writer);
        }

        _writer.EndNested(expressions);
        _writer.EndMessage(message);
    }

    /// <summary><c>add map</c>; <paramref name="notes"/> is what nft itself keeps with a map to print it by (its userdata).</summary>
    public void AddMap(NftTable table, NftMap map, ReadOnlySpan<byte> notes)
    {
        ArgumentNullException.ThrowIfNull(map);
        var message = Begin(NFT_MSG_NEWSET, NLM_F_CREATE, table, new("add map", table, map.Name));
        _writer.Attribute(NFTA_SET_TABLE, table.Name);
        _writer.Attribute(NFTA_SET_NAME, map.Name);
        _writer.AttributeBigEndian(NFTA_SET_FLAGS, NFT_SET_MAP);
        _writer.AttributeBigEndian(NFTA_SET_KEY_TYPE, map.KeyType);
        _writer.AttributeBigEndian(NFTA_SET_KEY_LEN, map.KeyLength);
        _writer.AttributeBigEndian(NFTA_SET_DATA_TYPE, map.DataType);
        _writer.AttributeBigEndian(NFTA_SET_DATA_LEN, map.DataLength);
        _writer.AttributeBigEndian(NFTA_SET_ID, ++_sets);
        _writer.Attribute(NFTA_SET_USERDATA, notes);
        _writer.EndMessage(message);
    }

    /// <summary><c>add element</c>; a key that is there with another value is refused.</summary>
    public void AddElements(NftTable table, string map, IEnumerable<NftElement> elements) => Elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, map, elements, "add");

    /// <summary><c>delete element</c>; the keys must be there.</summary>
    public void DeleteElements(NftTable table, string map, IEnumerable<NftBytes> keys) =>
        Elements(NFT_MSG_DELSETELEM, 0, table, map, keys.Select(k => new NftElement(k, default)), "delete");

    internal NetlinkWriter Close()
    {
        if (!_closed)
        {
            Border(NFNL_MSG_BATCH_END);
            _closed = true;
        }

        return _writer;
    }

    internal NftException Explain(NetlinkRefusal refusal) =>
        new($"{_what[Math.Min(refusal.Index, _what.Count - 1)]}: {NetlinkException.For(refusal.Errno, "refused", refusal.Explanation).Message}");

    private void Elements(ushort type, ushort flags, NftTable table, string map, IEnumerable<NftElement> elements, string verb)
    {
        using var rest = elements.GetEnumerator();
        for (var more = rest.MoveNext(); more;)
        {
            var number = 0;
            var message = Begin(type, flags, table, default);
            _writer.Attribute(NFTA_SET_ELEM_LIST_TABLE, table.Name);
            _writer.Attribute(NFTA_SET_ELEM_LIST_SET, map);
            var list = _writer.BeginNested(NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
            for (; more && number < ElementsPerMessage; more = rest.MoveNext())
            {
                Element(rest.Current);
                number++;
            }

            _writer.EndNested(list);
            _writer.EndMessage(message);
            _what[^1] = new(verb, table, map, number);
        }
    }

    private void Element(NftElement element)
    {
        var token = _writer.BeginNested(NFTA_LIST_ELEM | NLA_F_NESTED);
        var key = _writer.BeginNested(NFTA_SET_ELEM_KEY | NLA_F_NESTED);
        _writer.Attribute(NFTA_DATA_VALUE, element.Key.Span);
        _writer.EndNested(key);
        if (element.Jump is not null || element.Value.Length > 0)
        {
            var data = _writer.BeginNested(NFTA_SET_ELEM_DATA | NLA_F_NESTED);
            if (element.Jump is { } chain)
            {
                var verdict = _writer.BeginNested(NFTA_DATA_VERDICT | NLA_F_NESTED);
                _writer.AttributeBigEndian(NFTA_VERDICT_CODE, NFT_JUMP);
                _writer.Attribute(NFTA_VERDICT_CHAIN, chain);
                _writer.EndNested(verdict);
            }
            else
            {
                _writer.Attribute(NFTA_DATA_VALUE, element.Value.Span);
            }

            _writer.EndNested(data);
        }

        _writer.EndNested(token);
    }

    private NetlinkWriter.MessageToken Begin(ushort type, ushort flags, NftTable table, What what)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        _what.Add(what);
        var message = _writer.BeginMessage(MessageType(NFNL_SUBSYS_NFTABLES, type), (ushort)(NLM_F_REQUEST | flags));
        _writer.Header(new NfGenMessage { Family = NftNumbers.Of(table.Family) });
        return message;
    }

    private void Border(ushort type)
    {
        var message = _writer.BeginMessage(type, NLM_F_REQUEST);
        _writer.Header(new NfGenMessage { ResourceId = BinaryPrimitives.ReverseEndianness(NFNL_SUBSYS_NFTABLES) });
        _writer.EndMessage(message);
    }

    /// <summary>A change in words, which are made when somebody reads them: a batch has tens of thousands.</summary>
    private readonly record struct What(string Verb, NftTable? Table, string Name, int Elements = 0)
    {
        public override string ToString() =>
            Table is null ? Verb : Elements > 0 ? $"{Verb} {Elements} of {Table} {Name}" : Name.Length > 0 ? $"{Verb} {Table} {Name}" : $"{Verb} {Table}";
    }
}
