using System.Net;
using Skep.Kernel.Links;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.Neighbours;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

public sealed partial class RouteBatch
{
    /// <summary>A permanent neighbour, in the place of any that is there: <c>ip neigh replace … nud permanent</c>.</summary>
    public void SetNeighbour(int index, IPAddress address, string mac)
    {
        var message = BeginSet(RTM_NEWNEIGH, CreateOrReplace, () => $"set neighbour {address} to {mac} on link {index}");
        Writer.Header(new NeighbourMessage { Family = AddressFamilies.Of(address), Index = index, State = NUD_PERMANENT });
        Writer.Attribute(NDA_DST, address);
        Writer.Attribute(NDA_LLADDR, MacAddress.Parse(mac));
        Writer.EndMessage(message);
    }

    public void DeleteNeighbour(int index, IPAddress address)
    {
        var message = BeginDelete(RTM_DELNEIGH, () => $"delete neighbour {address} from link {index}");
        Writer.Header(new NeighbourMessage { Family = AddressFamilies.Of(address), Index = index });
        Writer.Attribute(NDA_DST, address);
        Writer.EndMessage(message);
    }

    /// <summary>Where a VXLAN device sends frames for <paramref name="mac"/>: <c>bridge fdb replace … dst … self permanent</c>.</summary>
    public void SetFdb(int index, string mac, IPAddress vtep)
    {
        var message = BeginSet(RTM_NEWNEIGH, CreateOrReplace, () => $"set forwarding of {mac} to {vtep} on link {index}");
        WriteFdb(index, mac);
        Writer.Attribute(NDA_DST, vtep);
        Writer.EndMessage(message);
    }

    /// <summary>Removes the device's own entry for <paramref name="mac"/>, wherever it leads.</summary>
    public void DeleteFdb(int index, string mac)
    {
        var message = BeginDelete(RTM_DELNEIGH, () => $"delete forwarding of {mac} from link {index}");
        WriteFdb(index, mac);
        Writer.EndMessage(message);
    }

    private void WriteFdb(int index, string mac)
    {
        Writer.Header(new NeighbourMessage
        {
            Family = AddressFamilies.AF_BRIDGE, Index = index, State = NUD_PERMANENT, Flags = NTF_SELF,
        });
        Writer.Attribute(NDA_LLADDR, MacAddress.Parse(mac));
    }
}
