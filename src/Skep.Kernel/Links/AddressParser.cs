using System.Net;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.IfAddr;

namespace Skep.Kernel.Links;

/// <summary>Reads RTM_NEWADDR and RTM_DELADDR.</summary>
internal static class AddressParser
{
    public static LinkAddress? Parse(NetlinkMessage message)
    {
        var header = message.Header<IfAddressMessage>();
        IPAddress? address = null;
        IPAddress? local = null;
        uint flags = header.Flags;
        var attributes = message.AttributesAfter<IfAddressMessage>();
        while (attributes.Next(out var attribute))
        {
            switch (attribute.Type)
            {
                case IFA_ADDRESS:
                    address = attribute.Address;
                    break;
                case IFA_LOCAL:
                    local = attribute.Address;
                    break;
                case IFA_FLAGS:
                    flags = attribute.UInt32;
                    break;
            }
        }

        // On a point-to-point link IFA_ADDRESS is the other end.
        return (local ?? address) is { } own
            ? new LinkAddress(header.Index, own, header.PrefixLength, (flags & IFA_F_PERMANENT) != 0, own.Equals(address) ? null : address)
            : null;
    }
}
