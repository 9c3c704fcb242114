using System.Net;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

/// <summary>Reads RTM_NEWROUTE and RTM_DELROUTE.</summary>
internal static class RouteParser
{
    private const uint RTM_F_CLONED = 0x200;

    public static Route? Parse(NetlinkMessage message)
    {
        var header = message.Header<RtMessage>();
        if (header.Family is not (AddressFamilies.AF_INET or AddressFamilies.AF_INET6) || (header.Flags & RTM_F_CLONED) != 0)
        {
            return null;
        }

        IPAddress? destination = null;
        IPAddress? gateway = null;
        IPAddress? source = null;
        var link = 0;
        uint table = header.Table;
        uint priority = 0;
        var attributes = message.AttributesAfter<RtMessage>();
        while (attributes.Next(out var attribute))
        {
            switch (attribute.Type)
            {
                case RTA_DST:
                    destination = attribute.Address;
                    break;
                case RTA_GATEWAY:
                    gateway = attribute.Address;
                    break;
                case RTA_PREFSRC:
                    source = attribute.Address;
                    break;
                case RTA_OIF:
                    link = attribute.Int32;
                    break;
                case RTA_PRIORITY:
                    priority = attribute.UInt32;
                    break;
                case RTA_TABLE:
                    table = attribute.UInt32;
                    break;
            }
        }

        return new Route(Network(header, destination, gateway), gateway, link, table)
        {
            Source = source,
            Tos = header.Tos,
            Type = (RouteType)header.Type,
            Scope = (RouteScope)header.Scope,
            Priority = priority,
            Protocol = header.Protocol,
        };
    }

    private static IPNetwork? Network(RtMessage header, IPAddress? destination, IPAddress? gateway)
    {
        if (destination is not null)
        {
            return new IPNetwork(destination, header.DestinationLength);
        }

        // Only ::/0 tells the family of a default route on a link.
        return header.Family == AddressFamilies.AF_INET6 && gateway is null ? new IPNetwork(IPAddress.IPv6Any, 0) : null;
    }
}
