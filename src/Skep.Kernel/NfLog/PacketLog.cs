using System.Buffers.Binary;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;
using static Skep.Kernel.Netlink.Headers.NfUlog;
using static Skep.Kernel.Netlink.Headers.Nfnetlink;

namespace Skep.Kernel.NfLog;

/// <summary>Packets that a rule of one namespace tells of (<c>log group N</c> of nft; nfnetlink_log).</summary>
public static class PacketLog
{
    // struct nfulnl_msg_config_mode is packed: the range in network order, the mode, a byte of nothing.
    private const int ModeSize = 6;

    /// <summary>
    /// The beginnings of the packets that rules log to <paramref name="group"/>, from this call on: the group is bound when the method
    /// returns. One process at a time can have a group of a namespace; another is refused with <see cref="NetlinkException"/> (EBUSY).
    /// Ends by cancellation with <see cref="OperationCanceledException"/>.
    /// </summary>
    /// <param name="ns">Whose rules.</param>
    /// <param name="group">As the rule names it.</param>
    /// <param name="length">Bytes of each packet, from its IP header on.</param>
    public static IAsyncEnumerable<LoggedPacket> FollowAsync(NetworkNamespace ns, ushort group, ushort length, CancellationToken cancellationToken) =>
        NetlinkListener.Open(NetlinkProtocol.Netfilter, ns, Setup(group, length), $"bind packet log group {group}")
            .FollowAsync(Parse, new LoggedPacket("", [], Overrun: true), cancellationToken);

    // A queue of one: each packet is told at once, since a proof that waits for company comes too late.
    internal static NetlinkWriter Setup(ushort group, ushort length)
    {
        var writer = new NetlinkWriter();
        Configure(writer, group, w => w.Attribute(NFULA_CFG_CMD, NFULNL_CFG_CMD_BIND));
        Configure(writer, group, w =>
        {
            Span<byte> mode = stackalloc byte[ModeSize];
            BinaryPrimitives.WriteUInt32BigEndian(mode, length);
            mode[4] = NFULNL_COPY_PACKET;
            w.Attribute(NFULA_CFG_MODE, mode);
            w.AttributeBigEndian(NFULA_CFG_QTHRESH, 1u);
        });
        return writer;
    }

    private static void Configure(NetlinkWriter writer, ushort group, Action<NetlinkWriter> attributes)
    {
        var message = writer.BeginMessage(MessageType(NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG), NLM_F_REQUEST);
        writer.Header(new NfGenMessage { ResourceId = BinaryPrimitives.ReverseEndianness(group) });
        attributes(writer);
        writer.EndMessage(message);
    }

    private static LoggedPacket? Parse(NetlinkMessage message)
    {
        if (message.Type != MessageType(NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET))
        {
            return null;
        }

        var (prefix, payload) = ("", Array.Empty<byte>());
        var attributes = message.AttributesAfter<NfGenMessage>();
        while (attributes.Next(out var attribute))
        {
            switch (attribute.Type)
            {
                case NFULA_PREFIX:
                    prefix = attribute.Text;
                    break;
                case NFULA_PAYLOAD:
                    payload = attribute.Value.ToArray();
                    break;
            }
        }

        return new LoggedPacket(prefix, payload);
    }
}
