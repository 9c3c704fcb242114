using Skep.Kernel.Links;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.Neighbours;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

public sealed partial class RouteBatch
{
    /// <summary>
    /// The bridge port behind which <paramref name="mac"/> lives: <c>bridge fdb replace … dev port master static</c>. It is read back as an
    /// entry that is neither the device's own nor permanent, for a bridge calls only its own ports' addresses permanent.
    /// </summary>
    public void SetBridgeFdb(int port, string mac)
    {
        var message = BeginSet(RTM_NEWNEIGH, CreateOrReplace, () => $"set forwarding of {mac} to bridge port {port}");
        WriteBridgeFdb(port, mac);
        Writer.EndMessage(message);
    }

    public void DeleteBridgeFdb(int port, string mac)
    {
        var message = BeginDelete(RTM_DELNEIGH, () => $"delete forwarding of {mac} to bridge port {port}");
        WriteBridgeFdb(port, mac);
        Writer.EndMessage(message);
    }

    private void WriteBridgeFdb(int port, string mac)
    {
        Writer.Header(new NeighbourMessage { Family = AddressFamilies.AF_BRIDGE, Index = port, State = NUD_NOARP, Flags = NTF_MASTER });
        Writer.Attribute(NDA_LLADDR, MacAddress.Parse(mac));
    }
}
