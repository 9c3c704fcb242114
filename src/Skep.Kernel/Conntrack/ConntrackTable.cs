using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;
using static Skep.Kernel.Netlink.Headers.NfConntrack;
using static Skep.Kernel.Netlink.Headers.Nfnetlink;

namespace Skep.Kernel.Conntrack;

/// <summary>The tracked flows of one network namespace (nfnetlink_conntrack), IPv4 and IPv6. Thread-safe.</summary>
public sealed class ConntrackTable : IDisposable
{
    private readonly Lock _gate = new();
    private readonly NetlinkSocket _socket;

    private ConntrackTable(NetlinkSocket socket) => _socket = socket;

    /// <summary>Opens the table of <paramref name="ns"/>; null: of the calling thread's namespace.</summary>
    public static ConntrackTable Open(NetworkNamespace? ns = null) => new(NetlinkSocket.Open(NetlinkProtocol.Netfilter, ns));

    /// <summary>The flows that match; null = all.</summary>
    public IReadOnlyList<ConntrackEntry> Entries(ConntrackFilter? filter = null)
    {
        lock (_gate)
        {
            return _socket.Read(
                Request(IPCTNL_MSG_CT_GET, NLM_F_DUMP),
                message => ConntrackParser.ParseEntry(message) is { } entry && filter?.Matches(entry) != false ? entry : null,
                "read the tracked flows");
        }
    }

    /// <summary>How many flows there are, without reading them.</summary>
    public int Count()
    {
        lock (_gate)
        {
            var counts = _socket.Read<object>(
                Request(IPCTNL_MSG_CT_GET_STATS),
                message => (int)message.AttributesAfter<NfGenMessage>().Find(CTA_STATS_GLOBAL_ENTRIES).UInt32BigEndian,
                "count the tracked flows");
            return counts is [int count, ..] ? count : 0;
        }
    }

    /// <summary>
    /// Forgets the flows that match, and returns how many there were: their next packet starts anew. A flow that ended meanwhile does not count.
    /// </summary>
    public int Delete(ConntrackFilter filter)
    {
        var entries = Entries(filter);
        if (entries.Count == 0)
        {
            return 0;
        }

        var writer = new NetlinkWriter();
        foreach (var entry in entries)
        {
            WriteDelete(writer, entry);
        }

        IReadOnlyList<NetlinkRefusal> refusals;
        lock (_gate)
        {
            refusals = _socket.Execute(writer);
        }

        return refusals.FirstOrDefault(refusal => refusal.Errno != Errno.ENOENT) is { } refusal
            ? throw NetlinkException.For(refusal.Errno, "delete a tracked flow", refusal.Explanation)
            : entries.Count - refusals.Count;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _socket.Dispose();
        }
    }

    private static NetlinkWriter Request(ushort message, ushort flags = 0)
    {
        var writer = new NetlinkWriter();
        var token = writer.BeginMessage(MessageType(NFNL_SUBSYS_CTNETLINK, message), (ushort)(NLM_F_REQUEST | flags));
        writer.Header(default(NfGenMessage));
        writer.EndMessage(token);
        return writer;
    }

    // The flow's number makes sure that a new flow with the same addresses is not taken for the old one.
    private static void WriteDelete(NetlinkWriter writer, ConntrackEntry entry)
    {
        var message = writer.BeginMessage(MessageType(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE), NLM_F_REQUEST);
        writer.Header(new NfGenMessage { Family = AddressFamilies.Of(entry.Original.Source) });
        writer.Attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, entry.Key);
        writer.AttributeBigEndian(CTA_ID, entry.Id);
        if (entry.Zone is { } zone)
        {
            writer.Attribute(CTA_ZONE, zone);
        }

        writer.EndMessage(message);
    }
}
