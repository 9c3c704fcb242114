using System.Net;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.IfLink;

namespace Skep.Kernel.Links;

/// <summary>Reads RTM_NEWLINK and RTM_DELLINK.</summary>
internal static class LinkParser
{
    public static Link? Parse(NetlinkMessage message)
    {
        var header = message.Header<IfInfoMessage>();
        if (header.Family != AddressFamilies.AF_UNSPEC)
        {
            // A bridge tells of its ports in messages of its own family; the link itself is reported beside them.
            return null;
        }

        var link = new Link(header.Index, "", null, "", 0, (header.Flags & IFF_UP) != 0, 0, 0, null, null, null);
        var attributes = message.AttributesAfter<IfInfoMessage>();
        while (attributes.Next(out var attribute))
        {
            link = attribute.Type switch
            {
                IFLA_IFNAME => link with { Name = attribute.Text },
                IFLA_ADDRESS => link with { Mac = MacAddress.Format(attribute.Value) },
                IFLA_MTU => link with { Mtu = attribute.Int32 },
                IFLA_MASTER => link with { Master = attribute.Int32 },
                IFLA_OPERSTATE => link with { HasCarrier = link.Up && attribute.UInt8 is IF_OPER_UP or IF_OPER_UNKNOWN },
                IFLA_LINK => link with { PeerIndex = attribute.Int32 },
                IFLA_IFALIAS => link with { Alias = attribute.Text },
                IFLA_LINKINFO => WithInfo(link, attribute.Nested),
                _ => link,
            };
        }

        return link;
    }

    /// <summary>The port that a bridge's own message is about; null when it is no such message.</summary>
    public static int? PortOf(NetlinkMessage message)
    {
        var header = message.Header<IfInfoMessage>();
        return header.Family == AddressFamilies.AF_BRIDGE ? header.Index : null;
    }

    private static Link WithInfo(Link link, AttributeReader info)
    {
        var slaveKind = "";
        while (info.Next(out var attribute))
        {
            switch (attribute.Type)
            {
                case IFLA_INFO_KIND:
                    link = link with { Kind = attribute.Text };
                    break;
                case IFLA_INFO_DATA when link.Kind == "vxlan":
                    link = link with { Vxlan = ParseVxlan(attribute.Nested) };
                    break;
                case IFLA_INFO_DATA when link.Kind == "bridge":
                    link = link with { Bridge = ParseBridge(attribute.Nested) };
                    break;
                case IFLA_INFO_SLAVE_KIND:
                    slaveKind = attribute.Text;
                    break;
                case IFLA_INFO_SLAVE_DATA when slaveKind == "bridge":
                    var port = ParsePort(attribute.Nested);
                    link = link with { Hairpin = port.Hairpin, Port = port };
                    break;
            }
        }

        return link;
    }

    private static BridgeChange ParseBridge(AttributeReader data)
    {
        var bridge = new BridgeChange();
        while (data.Next(out var attribute))
        {
            bridge = attribute.Type switch
            {
                IFLA_BR_STP_STATE => bridge with { Stp = attribute.UInt32 != 0 },
                IFLA_BR_VLAN_FILTERING => bridge with { VlanFiltering = attribute.Flag },
                IFLA_BR_MCAST_SNOOPING => bridge with { McastSnooping = attribute.Flag },
                _ => bridge,
            };
        }

        return bridge;
    }

    private static BridgePortChange ParsePort(AttributeReader data)
    {
        var port = new BridgePortChange();
        while (data.Next(out var attribute))
        {
            port = attribute.Type switch
            {
                IFLA_BRPORT_STATE => port with { Forwards = attribute.UInt8 == BR_STATE_FORWARDING },
                IFLA_BRPORT_UNICAST_FLOOD => port with { UnicastFlood = attribute.Flag },
                IFLA_BRPORT_MCAST_FLOOD => port with { McastFlood = attribute.Flag },
                IFLA_BRPORT_BCAST_FLOOD => port with { BcastFlood = attribute.Flag },
                IFLA_BRPORT_MODE => port with { Hairpin = attribute.Flag },
                IFLA_BRPORT_LEARNING => port with { Learning = attribute.Flag },
                IFLA_BRPORT_ISOLATED => port with { Isolated = attribute.Flag },
                IFLA_BRPORT_LOCKED => port with { Locked = attribute.Flag },
                IFLA_BRPORT_NEIGH_SUPPRESS => port with { NeighSuppress = attribute.Flag },
                _ => port,
            };
        }

        return port;
    }

    private static VxlanOptions ParseVxlan(AttributeReader data)
    {
        var vxlan = new VxlanOptions { Vni = 0 };
        while (data.Next(out var attribute))
        {
            vxlan = attribute.Type switch
            {
                IFLA_VXLAN_ID => vxlan with { Vni = attribute.UInt32 },
                IFLA_VXLAN_LOCAL or IFLA_VXLAN_LOCAL6 => vxlan with { Local = Specific(attribute.Address) },
                IFLA_VXLAN_LEARNING => vxlan with { Learning = attribute.Flag },
                IFLA_VXLAN_PROXY => vxlan with { Proxy = attribute.Flag },
                IFLA_VXLAN_L2MISS => vxlan with { L2Miss = attribute.Flag },
                IFLA_VXLAN_L3MISS => vxlan with { L3Miss = attribute.Flag },
                IFLA_VXLAN_PORT => vxlan with { Port = attribute.UInt16BigEndian },
                _ => vxlan,
            };
        }

        return vxlan;
    }

    private static IPAddress? Specific(IPAddress? address) =>
        IPAddress.Any.Equals(address) || IPAddress.IPv6Any.Equals(address) ? null : address;
}
