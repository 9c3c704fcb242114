using System.Net;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.IfLink;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

public sealed partial class RouteNetlink
{
    public IReadOnlyList<Link> Links()
    {
        var request = Dump(RTM_GETLINK, default(IfInfoMessage), writer => writer.Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS));
        return Read(request, LinkParser.Parse, "read the links");
    }

    public Link? FindLink(string name)
    {
        var request = new NetlinkWriter();
        var message = request.BeginMessage(RTM_GETLINK, NLM_F_REQUEST);
        request.Header(default(IfInfoMessage));
        request.Attribute(IFLA_IFNAME, name);
        request.Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        request.EndMessage(message);
        try
        {
            return Read(request, LinkParser.Parse, $"find link {name}").FirstOrDefault();
        }
        catch (NetlinkException refusal) when (refusal.Errno == Errno.ENODEV)
        {
            return null;
        }
    }

    /// <inheritdoc cref="RouteBatch.AddBridge"/>
    public bool AddBridge(string name, BridgeOptions? options = null) => Change(batch => batch.AddBridge(name, options));

    /// <inheritdoc cref="RouteBatch.AddVeth"/>
    public bool AddVeth(string name, string peerName, NetworkNamespace? peerNamespace = null, VethOptions? options = null) =>
        Change(batch => batch.AddVeth(name, peerName, peerNamespace, options));

    /// <inheritdoc cref="RouteBatch.AddVxlan"/>
    public bool AddVxlan(string name, VxlanOptions options) => Change(batch => batch.AddVxlan(name, options));

    public bool DeleteLink(int index) => Change(batch => batch.DeleteLink(index));

    public void SetLink(int index, LinkChange change) => Change(batch => batch.SetLink(index, change));

    /// <inheritdoc cref="RouteBatch.SetBridge"/>
    public void SetBridge(int index, BridgeChange change) => Change(batch => batch.SetBridge(index, change));

    /// <inheritdoc cref="RouteBatch.SetBridgePort"/>
    public void SetBridgePort(int index, BridgePortChange change) => Change(batch => batch.SetBridgePort(index, change));

    /// <summary>The addresses of all links, IPv4 and IPv6.</summary>
    public IReadOnlyList<LinkAddress> Addresses() =>
        Read(Dump(RTM_GETADDR, default(IfAddressMessage)), AddressParser.Parse, "read the addresses");

    public bool AddAddress(int index, IPAddress address, int prefixLength) =>
        Change(batch => batch.AddAddress(index, address, prefixLength));

    public bool DeleteAddress(int index, IPAddress address, int prefixLength) =>
        Change(batch => batch.DeleteAddress(index, address, prefixLength));
}
