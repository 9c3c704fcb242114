using System.Net;
using System.Net.Sockets;
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
    // For each question the kernel walks all flows, and of IPv6 it tells all; for many answerers it is cheaper to be told all of them once.
    private const int Few = 8;

    private readonly Lock _gate = new();
    private readonly NetlinkSocket _socket;

    private ConntrackTable(NetlinkSocket socket) => _socket = socket;

    /// <summary>Opens the table of <paramref name="ns"/>; null: of the calling thread's namespace.</summary>
    public static ConntrackTable Open(NetworkNamespace? ns = null) => new(NetlinkSocket.Open(NetlinkProtocol.Netfilter, ns));

    /// <summary>
    /// The flows that match; null = all. By an IPv4 destination or answerer the kernel chooses itself (Linux 5.8); an older one tells all flows.
    /// </summary>
    public IReadOnlyList<ConntrackEntry> Entries(ConntrackFilter? filter = null)
    {
        lock (_gate)
        {
            return _socket.Read(
                Request(IPCTNL_MSG_CT_GET, NLM_F_DUMP, filter),
                message => ConntrackParser.ParseEntry(message) is { } entry && filter?.Matches(entry) != false ? entry : null,
                "read the tracked flows");
        }
    }

    /// <summary>The flows that any of these answers. A busy machine tracks a hundred thousand, of which one address has few.</summary>
    public IEnumerable<ConntrackEntry> AnsweredBy(IReadOnlySet<IPAddress> answerers, byte? protocol = null)
    {
        ArgumentNullException.ThrowIfNull(answerers);
        return answerers.Count <= Few && answerers.All(a => a.AddressFamily == AddressFamily.InterNetwork)
            ? answerers.SelectMany(a => Entries(new ConntrackFilter { ReplySource = a, Protocol = protocol }))
            : Entries(new ConntrackFilter { Protocol = protocol }).Where(f => answerers.Contains(f.Reply.Source));
    }

    /// <summary>The flow whose answers have these ends: what it was before it was translated. Null when there is none. One look-up, whatever the number of flows.</summary>
    public ConntrackEntry? FindByReply(FlowTuple reply)
    {
        ArgumentNullException.ThrowIfNull(reply);
        var writer = new NetlinkWriter();
        // The kernel calls the one entry a part of several (NLM_F_MULTI) and sends no end; the acknowledgement is the end.
        var token = writer.BeginMessage(MessageType(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET), NLM_F_REQUEST | NLM_F_ACK);
        writer.Header(new NfGenMessage { Family = AddressFamilies.Of(reply.Source) });
        TranslatedFlowWriter.Tuple(writer, CTA_TUPLE_REPLY, reply);
        writer.EndMessage(token);
        lock (_gate)
        {
            try
            {
                return _socket.Read(writer, ConntrackParser.ParseEntry, "look for a tracked flow").FirstOrDefault();
            }
            catch (NetlinkException unknown) when (unknown.Errno == Errno.ENOENT)
            {
                return null;
            }
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
    public int Delete(ConntrackFilter filter) => Delete(Entries(filter));

    /// <summary>Forgets these flows, and returns how many of them there still were.</summary>
    public int Delete(IReadOnlyCollection<ConntrackEntry> entries)
    {
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

    /// <summary>Makes the kernel translate these flows as if their first packet had passed its rules. One that is there already is left as it is.</summary>
    public void Add(IEnumerable<TranslatedFlow> flows)
    {
        var writer = new NetlinkWriter();
        foreach (var flow in flows)
        {
            TranslatedFlowWriter.Write(writer, flow);
        }

        if (writer.Count == 0)
        {
            return;
        }

        IReadOnlyList<NetlinkRefusal> refusals;
        lock (_gate)
        {
            refusals = _socket.Execute(writer);
        }

        if (refusals.FirstOrDefault(refusal => refusal.Errno != Errno.EEXIST) is { } refusal)
        {
            throw NetlinkException.For(refusal.Errno, "add a tracked flow", refusal.Explanation);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _socket.Dispose();
        }
    }

    private static NetlinkWriter Request(ushort message, ushort flags = 0, ConntrackFilter? filter = null)
    {
        var writer = new NetlinkWriter();
        var token = writer.BeginMessage(MessageType(NFNL_SUBSYS_CTNETLINK, message), (ushort)(NLM_F_REQUEST | flags));
        // Of IPv6 the kernel leaves out just the flows that were asked for (ctnetlink_filter_match_tuple takes ipv6_addr_cmp the wrong way round).
        var narrow = (filter?.OriginalDestination ?? filter?.ReplySource)?.AddressFamily == AddressFamily.InterNetwork;
        writer.Header(new NfGenMessage { Family = narrow ? AddressFamilies.AF_INET : AddressFamilies.AF_UNSPEC });
        if (narrow)
        {
            WriteFilter(writer, filter!);
        }

        writer.EndMessage(token);
        return writer;
    }

    private static void WriteFilter(NetlinkWriter writer, ConntrackFilter filter)
    {
        var flags = writer.BeginNested(CTA_FILTER | NLA_F_NESTED);
        writer.Attribute(CTA_FILTER_ORIG_FLAGS, filter.OriginalDestination is null ? 0 : CTA_FILTER_F_CTA_IP_DST);
        writer.Attribute(CTA_FILTER_REPLY_FLAGS, filter.ReplySource is null ? 0 : CTA_FILTER_F_CTA_IP_SRC);
        writer.EndNested(flags);
        if (filter.OriginalDestination is { } destination)
        {
            WriteAddress(writer, CTA_TUPLE_ORIG, CTA_IP_V4_DST, destination);
        }

        if (filter.ReplySource is { } answerer)
        {
            WriteAddress(writer, CTA_TUPLE_REPLY, CTA_IP_V4_SRC, answerer);
        }
    }

    private static void WriteAddress(NetlinkWriter writer, ushort tuple, ushort type, IPAddress address)
    {
        var outer = writer.BeginNested((ushort)(tuple | NLA_F_NESTED));
        var addresses = writer.BeginNested(CTA_TUPLE_IP | NLA_F_NESTED);
        writer.Attribute(type, address);
        writer.EndNested(addresses);
        writer.EndNested(outer);
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
