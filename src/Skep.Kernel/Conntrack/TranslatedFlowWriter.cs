using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;
using static Skep.Kernel.Netlink.Headers.NfConntrack;
using static Skep.Kernel.Netlink.Headers.Nfnetlink;

namespace Skep.Kernel.Conntrack;

/// <summary>Writes IPCTNL_MSG_CT_NEW with a translation, as <c>conntrack -I --src-nat … --dst-nat …</c> does.</summary>
internal static class TranslatedFlowWriter
{
    public static void Write(NetlinkWriter writer, TranslatedFlow flow)
    {
        var message = writer.BeginMessage(MessageType(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW), NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
        writer.Header(new NfGenMessage { Family = AddressFamilies.Of(flow.Packets.Source) });
        var packets = flow.Packets;
        Tuple(writer, CTA_TUPLE_ORIG, packets);
        // The kernel itself puts the translation into the expected answer.
        Tuple(writer, CTA_TUPLE_REPLY, new FlowTuple(packets.Destination, packets.Source, packets.Protocol, packets.DestinationPort, packets.SourcePort));
        writer.AttributeBigEndian(CTA_STATUS, IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED);
        writer.AttributeBigEndian(CTA_TIMEOUT, flow.Timeout);
        writer.AttributeBigEndian(CTA_ZONE, flow.Zone);
        if (!flow.Destination.Equals(new IPEndPoint(packets.Destination, packets.DestinationPort)))
        {
            Translation(writer, CTA_NAT_DST, flow.Destination);
        }

        if (!flow.Source.Equals(new IPEndPoint(packets.Source, packets.SourcePort)))
        {
            Translation(writer, CTA_NAT_SRC, flow.Source);
        }

        writer.EndMessage(message);
    }

    public static void Tuple(NetlinkWriter writer, ushort type, FlowTuple tuple)
    {
        var four = tuple.Source.AddressFamily == AddressFamily.InterNetwork;
        var outer = writer.BeginNested((ushort)(type | NLA_F_NESTED));
        var addresses = writer.BeginNested(CTA_TUPLE_IP | NLA_F_NESTED);
        writer.Attribute(four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.Source);
        writer.Attribute(four ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.Destination);
        writer.EndNested(addresses);
        var protocol = writer.BeginNested(CTA_TUPLE_PROTO | NLA_F_NESTED);
        writer.Attribute(CTA_PROTO_NUM, tuple.Protocol);
        writer.AttributeBigEndian(CTA_PROTO_SRC_PORT, tuple.SourcePort);
        writer.AttributeBigEndian(CTA_PROTO_DST_PORT, tuple.DestinationPort);
        writer.EndNested(protocol);
        writer.EndNested(outer);
    }

    private static void Translation(NetlinkWriter writer, ushort type, IPEndPoint to)
    {
        var four = to.AddressFamily == AddressFamily.InterNetwork;
        var outer = writer.BeginNested((ushort)(type | NLA_F_NESTED));
        writer.Attribute(four ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, to.Address);
        writer.Attribute(four ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP, to.Address);
        var ports = writer.BeginNested(CTA_NAT_PROTO | NLA_F_NESTED);
        writer.AttributeBigEndian(CTA_PROTONAT_PORT_MIN, (ushort)to.Port);
        writer.AttributeBigEndian(CTA_PROTONAT_PORT_MAX, (ushort)to.Port);
        writer.EndNested(ports);
        writer.EndNested(outer);
    }
}
