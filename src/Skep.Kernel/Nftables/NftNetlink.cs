using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;
using static Skep.Kernel.Netlink.Headers.Nfnetlink;
using static Skep.Kernel.Netlink.Headers.NfTables;

namespace Skep.Kernel.Nftables;

/// <summary>The nftables of one network namespace by nfnetlink itself: quick changes and exact reading. Thread-safe.</summary>
public sealed class NftNetlink : IDisposable
{
    private readonly Lock _gate = new();
    private readonly NetlinkSocket _socket;

    private NftNetlink(NetlinkSocket socket) => _socket = socket;

    public static NftNetlink Open(NetworkNamespace ns) => new(NetlinkSocket.Open(NetlinkProtocol.Netfilter, ns));

    /// <summary>Applies all of the batch or, with <see cref="NftException"/>, nothing of it.</summary>
    public void Run(NftBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.IsEmpty)
        {
            return;
        }

        lock (_gate)
        {
            if (_socket.ExecuteTransaction(batch.Close()) is [var refusal, ..])
            {
                throw batch.Explain(refusal);
            }
        }
    }

    /// <summary>The tables of a family, or of all (null).</summary>
    public IReadOnlyList<NftTableState> Tables(NftFamily? family = null) =>
        Read(NFT_MSG_GETTABLE, family, _ => { }, NftParser.Table, "read the tables");

    /// <summary>The chains of all tables of a family, by table. The kernel has no other way to ask: whatever table is named, it tells all.</summary>
    public ILookup<string, NftChain> Chains(NftFamily family) =>
        Read(NFT_MSG_GETCHAIN, family, _ => { }, NftParser.Chain, $"read the chains of {NftTable.Word(family)}").ToLookup(c => c.Table, c => c.Chain, StringComparer.Ordinal);

    /// <summary>The table's maps, and its sets as maps with keys of no length.</summary>
    public IReadOnlyList<NftMap> Maps(NftTable table) =>
        Read(NFT_MSG_GETSET, table.Family, w => w.Attribute(NFTA_SET_TABLE, table.Name), NftParser.Map, $"read the maps of {table}");

    /// <summary>The rules of all chains, each chain's in order.</summary>
    public IReadOnlyList<NftRule> Rules(NftTable table) =>
        Read(NFT_MSG_GETRULE, table.Family, w => w.Attribute(NFTA_RULE_TABLE, table.Name), m => NftParser.Rule(m, table.Name), $"read the rules of {table}");

    /// <summary>The elements of a map that is there.</summary>
    public IReadOnlyList<NftElement> Elements(NftTable table, string map) =>
    [
        .. Read(
            NFT_MSG_GETSETELEM,
            table.Family,
            w =>
            {
                w.Attribute(NFTA_SET_ELEM_LIST_TABLE, table.Name);
                w.Attribute(NFTA_SET_ELEM_LIST_SET, map);
            },
            NftParser.Elements,
            $"read map {map} of {table}").SelectMany(e => e),
    ];

    public void Dispose()
    {
        lock (_gate)
        {
            _socket.Dispose();
        }
    }

    private List<T> Read<T>(ushort type, NftFamily? family, Action<NetlinkWriter> filter, NetlinkParser<T> parse, string attempt)
        where T : class
    {
        var request = new NetlinkWriter();
        var message = request.BeginMessage(MessageType(NFNL_SUBSYS_NFTABLES, type), NLM_F_REQUEST | NLM_F_DUMP);
        request.Header(new NfGenMessage { Family = family is { } one ? NftNumbers.Of(one) : AddressFamilies.AF_UNSPEC });
        filter(request);
        request.EndMessage(message);
        lock (_gate)
        {
            try
            {
                return _socket.Read(request, parse, attempt);
            }
            catch (NetlinkException gone) when (gone.Errno == Errno.ENOENT)
            {
                return [];
            }
        }
    }
}
