using System.Net;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.NfConntrack;

namespace Skep.Kernel.Conntrack;

/// <summary>Reads IPCTNL_MSG_CT_NEW, of which the table is made.</summary>
internal static class ConntrackParser
{
    private static readonly FlowTuple s_unknown = new(IPAddress.None, IPAddress.None, 0, 0, 0);

    public static ConntrackEntry? ParseEntry(NetlinkMessage message)
    {
        var entry = new ConntrackEntry(s_unknown, s_unknown, 0, 0, 0, 0);
        var attributes = message.AttributesAfter<NfGenMessage>();
        while (attributes.Next(out var attribute))
        {
            entry = attribute.Type switch
            {
                CTA_TUPLE_ORIG => entry with { Original = ParseTuple(attribute.Nested), Key = attribute.Value.ToArray() },
                CTA_TUPLE_REPLY => entry with { Reply = ParseTuple(attribute.Nested) },
                CTA_MARK => entry with { Mark = attribute.UInt32BigEndian },
                CTA_PROTOINFO => entry with { IsStanding = IsStanding(attribute.Nested) },
                CTA_STATUS => entry with { Status = attribute.UInt32BigEndian },
                CTA_TIMEOUT => entry with { Timeout = attribute.UInt32BigEndian },
                CTA_ID => entry with { Id = attribute.UInt32BigEndian },
                CTA_ZONE => entry with { Zone = attribute.Value.ToArray() },
                _ => entry,
            };
        }

        return entry.Key.Length == 0 ? null : entry;
    }

    private static bool IsStanding(AttributeReader protocol) =>
        protocol.Find(CTA_PROTOINFO_TCP).Nested.Find(CTA_PROTOINFO_TCP_STATE).UInt8 == TCP_CONNTRACK_ESTABLISHED;

    private static FlowTuple ParseTuple(AttributeReader tuple)
    {
        var flow = s_unknown;
        while (tuple.Next(out var attribute))
        {
            flow = attribute.Type switch
            {
                CTA_TUPLE_IP => WithAddresses(flow, attribute.Nested),
                CTA_TUPLE_PROTO => WithProtocol(flow, attribute.Nested),
                _ => flow,
            };
        }

        return flow;
    }

    private static FlowTuple WithAddresses(FlowTuple flow, AttributeReader addresses)
    {
        while (addresses.Next(out var attribute))
        {
            flow = attribute.Type switch
            {
                CTA_IP_V4_SRC or CTA_IP_V6_SRC => flow with { Source = attribute.Address ?? IPAddress.None },
                CTA_IP_V4_DST or CTA_IP_V6_DST => flow with { Destination = attribute.Address ?? IPAddress.None },
                _ => flow,
            };
        }

        return flow;
    }

    private static FlowTuple WithProtocol(FlowTuple flow, AttributeReader protocol)
    {
        while (protocol.Next(out var attribute))
        {
            flow = attribute.Type switch
            {
                CTA_PROTO_NUM => flow with { Protocol = attribute.UInt8 },
                CTA_PROTO_SRC_PORT => flow with { SourcePort = attribute.UInt16BigEndian },
                CTA_PROTO_DST_PORT => flow with { DestinationPort = attribute.UInt16BigEndian },
                _ => flow,
            };
        }

        return flow;
    }
}
