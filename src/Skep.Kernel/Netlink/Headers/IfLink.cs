namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/if_link.h, with the few names of linux/if.h and linux/veth.h that go with it.</summary>
internal static class IfLink
{
    // linux/if.h
    public const uint IFF_UP = 1;
    public const byte IF_OPER_UNKNOWN = 0;
    public const byte IF_OPER_UP = 6;

    /// <summary>IFNAMSIZ of linux/if.h, without the terminating zero.</summary>
    public const int LongestName = 15;

    public const ushort IFLA_ADDRESS = 1;
    public const ushort IFLA_IFNAME = 3;
    public const ushort IFLA_MTU = 4;
    public const ushort IFLA_LINK = 5;
    public const ushort IFLA_MASTER = 10;
    public const ushort IFLA_OPERSTATE = 16;
    public const ushort IFLA_LINKINFO = 18;
    public const ushort IFLA_IFALIAS = 20;
    public const ushort IFLA_NET_NS_FD = 28;
    public const ushort IFLA_EXT_MASK = 29;

    // Inside IFLA_LINKINFO.
    public const ushort IFLA_INFO_KIND = 1;
    public const ushort IFLA_INFO_DATA = 2;
    public const ushort IFLA_INFO_SLAVE_KIND = 4;
    public const ushort IFLA_INFO_SLAVE_DATA = 5;

    // linux/veth.h: IFLA_INFO_DATA of "veth".
    public const ushort VETH_INFO_PEER = 1;

    // IFLA_INFO_DATA of "bridge".
    public const ushort IFLA_BR_STP_STATE = 5;
    public const ushort IFLA_BR_VLAN_FILTERING = 7;
    public const ushort IFLA_BR_MCAST_SNOOPING = 23;
    public const ushort IFLA_BR_VLAN_DEFAULT_PVID = 39;

    // IFLA_INFO_SLAVE_DATA of "bridge".
    public const ushort IFLA_BRPORT_STATE = 1;
    public const ushort IFLA_BRPORT_MODE = 4;
    public const ushort IFLA_BRPORT_LEARNING = 8;
    public const ushort IFLA_BRPORT_UNICAST_FLOOD = 9;
    public const ushort IFLA_BRPORT_MCAST_FLOOD = 27;
    public const ushort IFLA_BRPORT_BCAST_FLOOD = 30;
    public const ushort IFLA_BRPORT_NEIGH_SUPPRESS = 32;
    public const ushort IFLA_BRPORT_ISOLATED = 33;
    public const ushort IFLA_BRPORT_LOCKED = 39;

    // linux/if_bridge.h
    public const byte BR_STATE_FORWARDING = 3;
    public const byte BR_STATE_DISABLED = 0;

    // IFLA_INFO_DATA of "vxlan".
    public const ushort IFLA_VXLAN_ID = 1;
    public const ushort IFLA_VXLAN_LOCAL = 4;
    public const ushort IFLA_VXLAN_LEARNING = 7;
    public const ushort IFLA_VXLAN_PROXY = 11;
    public const ushort IFLA_VXLAN_L2MISS = 13;
    public const ushort IFLA_VXLAN_L3MISS = 14;
    public const ushort IFLA_VXLAN_PORT = 15;
    public const ushort IFLA_VXLAN_LOCAL6 = 17;
}
