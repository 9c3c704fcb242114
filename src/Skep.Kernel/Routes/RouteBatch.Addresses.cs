using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.IfAddr;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

public sealed partial class RouteBatch
{
    public void AddAddress(int index, IPAddress address, int prefixLength)
    {
        var message = BeginAdd(RTM_NEWADDR, Create, () => $"add address {address}/{prefixLength} to link {index}");
        WriteAddress(message, index, address, prefixLength);
    }

    /// <summary>Deletes an address; with <paramref name="peer"/> the one that has that at its other end.</summary>
    public void DeleteAddress(int index, IPAddress address, int prefixLength, IPAddress? peer = null)
    {
        var message = BeginDelete(RTM_DELADDR, () => $"delete address {address}/{prefixLength} from link {index}");
        WriteAddress(message, index, address, prefixLength, peer);
    }

    private void WriteAddress(NetlinkWriter.MessageToken message, int index, IPAddress address, int prefixLength, IPAddress? peer = null)
    {
        Writer.Header(new IfAddressMessage
        {
            Family = AddressFamilies.Of(address),
            PrefixLength = (byte)prefixLength,

            // Whoever gives out addresses knows that this one is free: without the search for duplicates, which takes a second
            // or two, an IPv6 address is usable at once.
            Flags = address.AddressFamily == AddressFamily.InterNetworkV6 ? IFA_F_NODAD : (byte)0,
            Index = index,
        });
        Writer.Attribute(IFA_LOCAL, address);
        Writer.Attribute(IFA_ADDRESS, peer ?? address);
        Writer.EndMessage(message);
    }
}
