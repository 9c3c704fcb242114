using System.Net;
using Skep.Kernel.Links;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.Neighbours;

namespace Skep.Kernel.Routes;

/// <summary>Reads RTM_NEWNEIGH and RTM_DELNEIGH, which tell of neighbours and, in the bridge's family, of forwarding entries.</summary>
internal static class NeighbourParser
{
    public static bool IsFdb(NetlinkMessage message) => message.Header<NeighbourMessage>().Family == AddressFamilies.AF_BRIDGE;

    public static Neighbour? ParseNeighbour(NetlinkMessage message)
    {
        var header = message.Header<NeighbourMessage>();
        var (mac, address) = ReadAddresses(message);
        return address is null ? null : new Neighbour(header.Index, address, mac, IsPermanent(header), header.State);
    }

    public static FdbEntry? ParseFdb(NetlinkMessage message)
    {
        var header = message.Header<NeighbourMessage>();
        var (mac, vtep) = ReadAddresses(message);
        return mac.Length == 0 ? null : new FdbEntry(header.Index, mac, vtep, (header.Flags & NTF_SELF) != 0, IsPermanent(header)) { Deviates = Deviates(message) };
    }

    // The kernel tells them only where they are not the device's own (vxlan_fdb_info).
    private static bool Deviates(NetlinkMessage message)
    {
        var attributes = message.AttributesAfter<NeighbourMessage>();
        while (attributes.Next(out var attribute))
        {
            if (attribute.Type is NDA_PORT or NDA_VNI or NDA_IFINDEX)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPermanent(NeighbourMessage header) => (header.State & NUD_PERMANENT) != 0;

    private static (string Mac, IPAddress? Address) ReadAddresses(NetlinkMessage message)
    {
        var mac = "";
        IPAddress? address = null;
        var attributes = message.AttributesAfter<NeighbourMessage>();
        while (attributes.Next(out var attribute))
        {
            switch (attribute.Type)
            {
                case NDA_LLADDR:
                    mac = MacAddress.Format(attribute.Value);
                    break;
                case NDA_DST:
                    address = attribute.Address;
                    break;
            }
        }

        return (mac, address);
    }
}
