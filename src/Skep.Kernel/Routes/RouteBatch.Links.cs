using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.IfLink;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

public sealed partial class RouteBatch
{
    public void AddBridge(string name, BridgeOptions? options = null)
    {
        options ??= new BridgeOptions();
        var message = BeginAdd(RTM_NEWLINK, Create, () => $"add bridge {name}");
        Writer.Header(default(IfInfoMessage));
        WriteBasics(name, options.Mtu, options.Mac);
        var info = Writer.BeginNested(IFLA_LINKINFO);
        Writer.Attribute(IFLA_INFO_KIND, "bridge"u8);
        var data = Writer.BeginNested(IFLA_INFO_DATA);

        // A new bridge does not filter, and a kernel built without VLAN filtering refuses to hear of it.
        if (options.VlanFiltering == true)
        {
            Writer.Attribute(IFLA_BR_VLAN_FILTERING, true);
        }

        WriteOptional(IFLA_BR_MCAST_SNOOPING, options.McastSnooping);
        if (options.DefaultPvid is { } pvid)
        {
            Writer.Attribute(IFLA_BR_VLAN_DEFAULT_PVID, pvid);
        }

        Writer.EndNested(data);
        Writer.EndNested(info);
        Writer.EndMessage(message);
    }

    /// <summary>A pair of links: one here, its peer in <paramref name="peerNamespace"/> (null: here too).</summary>
    public void AddVeth(string name, string peerName, NetworkNamespace? peerNamespace = null, VethOptions? options = null)
    {
        options ??= new VethOptions();
        var message = BeginAdd(RTM_NEWLINK, Create, () => $"add veth {name} with peer {peerName}");
        Writer.Header(default(IfInfoMessage));
        WriteBasics(name, options.Mtu, options.Mac);
        var info = Writer.BeginNested(IFLA_LINKINFO);
        Writer.Attribute(IFLA_INFO_KIND, "veth"u8);
        var data = Writer.BeginNested(IFLA_INFO_DATA);
        var peer = Writer.BeginNested(VETH_INFO_PEER);
        Writer.Header(default(IfInfoMessage));
        WriteBasics(peerName, options.PeerMtu, options.PeerMac);
        if (peerNamespace is not null)
        {
            Writer.Attribute(IFLA_NET_NS_FD, (uint)peerNamespace.Descriptor);
        }

        Writer.EndNested(peer);
        Writer.EndNested(data);
        Writer.EndNested(info);
        Writer.EndMessage(message);
    }

    /// <summary>A VXLAN device. Its outer packets stay in this namespace when it is moved into another.</summary>
    public void AddVxlan(string name, VxlanOptions options)
    {
        var message = BeginAdd(RTM_NEWLINK, Create, () => $"add vxlan {name} with id {options.Vni}");
        Writer.Header(default(IfInfoMessage));
        WriteBasics(name, options.Mtu, mac: null);
        var info = Writer.BeginNested(IFLA_LINKINFO);
        Writer.Attribute(IFLA_INFO_KIND, "vxlan"u8);
        var data = Writer.BeginNested(IFLA_INFO_DATA);
        Writer.Attribute(IFLA_VXLAN_ID, options.Vni);
        if (options.Local is { } local)
        {
            Writer.Attribute(local.AddressFamily == AddressFamily.InterNetworkV6 ? IFLA_VXLAN_LOCAL6 : IFLA_VXLAN_LOCAL, local);
        }

        Writer.Attribute(IFLA_VXLAN_LEARNING, options.Learning);
        Writer.Attribute(IFLA_VXLAN_PROXY, options.Proxy);
        Writer.Attribute(IFLA_VXLAN_L2MISS, options.L2Miss);
        Writer.Attribute(IFLA_VXLAN_L3MISS, options.L3Miss);
        Writer.AttributeBigEndian(IFLA_VXLAN_PORT, options.Port);
        Writer.EndNested(data);
        Writer.EndNested(info);
        Writer.EndMessage(message);
    }

    public void DeleteLink(int index)
    {
        var message = BeginDelete(RTM_DELLINK, () => $"delete link {index}");
        Writer.Header(new IfInfoMessage { Index = index });
        Writer.EndMessage(message);
    }

    public void SetLink(int index, LinkChange change)
    {
        var message = BeginSet(RTM_SETLINK, Request, () => $"change link {index}");
        var header = new IfInfoMessage { Index = index };
        if (change.Up is { } up)
        {
            (header.Flags, header.Change) = (up ? IFF_UP : 0, IFF_UP);
        }

        Writer.Header(header);
        WriteBasics(change.Name, change.Mtu, change.Mac);
        if (change.Master is { } master)
        {
            Writer.Attribute(IFLA_MASTER, (uint)master);
        }

        if (change.Alias is { } alias)
        {
            Writer.Attribute(IFLA_IFALIAS, alias);
        }

        if (change.Namespace is { } target)
        {
            Writer.Attribute(IFLA_NET_NS_FD, (uint)target.Descriptor);
        }

        Writer.EndMessage(message);
    }

    /// <summary>As <c>ip link set … type bridge</c>; the link must be a bridge.</summary>
    public void SetBridge(int index, BridgeChange change)
    {
        var message = BeginSet(RTM_NEWLINK, Request, () => $"change bridge {index}");
        Writer.Header(new IfInfoMessage { Index = index });
        var info = Writer.BeginNested(IFLA_LINKINFO);
        Writer.Attribute(IFLA_INFO_KIND, "bridge"u8);
        var data = Writer.BeginNested(IFLA_INFO_DATA);
        if (change.Stp is { } stp)
        {
            Writer.Attribute(IFLA_BR_STP_STATE, stp ? 1u : 0u);
        }

        WriteOptional(IFLA_BR_VLAN_FILTERING, change.VlanFiltering);
        WriteOptional(IFLA_BR_MCAST_SNOOPING, change.McastSnooping);
        Writer.EndNested(data);
        Writer.EndNested(info);
        Writer.EndMessage(message);
    }

    /// <summary>As <c>ip link set … type bridge_slave</c>; the link must be a port of a bridge.</summary>
    public void SetBridgePort(int index, BridgePortChange change)
    {
        var message = BeginSet(RTM_NEWLINK, Request, () => $"change bridge port {index}");
        Writer.Header(new IfInfoMessage { Index = index });
        var info = Writer.BeginNested(IFLA_LINKINFO);
        Writer.Attribute(IFLA_INFO_SLAVE_KIND, "bridge"u8);
        var data = Writer.BeginNested(IFLA_INFO_SLAVE_DATA);
        if (change.Forwards is { } forwards)
        {
            // A port that is disabled the kernel enables again as soon as it is told of any change of its link.
            Writer.Attribute(IFLA_BRPORT_STATE, [forwards ? BR_STATE_FORWARDING : BR_STATE_DISABLED]);
        }

        WriteOptional(IFLA_BRPORT_UNICAST_FLOOD, change.UnicastFlood);
        WriteOptional(IFLA_BRPORT_MCAST_FLOOD, change.McastFlood);
        WriteOptional(IFLA_BRPORT_BCAST_FLOOD, change.BcastFlood);
        WriteOptional(IFLA_BRPORT_MODE, change.Hairpin);
        WriteOptional(IFLA_BRPORT_LEARNING, change.Learning);
        WriteOptional(IFLA_BRPORT_NEIGH_SUPPRESS, change.NeighSuppress);
        WriteOptional(IFLA_BRPORT_ISOLATED, change.Isolated);
        WriteOptional(IFLA_BRPORT_LOCKED, change.Locked);
        Writer.EndNested(data);
        Writer.EndNested(info);
        Writer.EndMessage(message);
    }

    private void WriteBasics(string? name, int? mtu, string? mac)
    {
        if (name is not null)
        {
            if (Encoding.UTF8.GetByteCount(name) is 0 or > LongestName)
            {
                throw new ArgumentException($"'{name}' cannot be a link's name: 1 to {LongestName} bytes.", nameof(name));
            }

            Writer.Attribute(IFLA_IFNAME, name);
        }

        if (mtu is { } bytes)
        {
            Writer.Attribute(IFLA_MTU, (uint)bytes);
        }

        if (mac is not null)
        {
            Writer.Attribute(IFLA_ADDRESS, MacAddress.Parse(mac));
        }
    }

    private void WriteOptional(ushort type, bool? value)
    {
        if (value is { } known)
        {
            Writer.Attribute(type, known);
        }
    }
}
