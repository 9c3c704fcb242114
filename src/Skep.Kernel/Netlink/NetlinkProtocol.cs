namespace Skep.Kernel.Netlink;

/// <summary>The parts of the kernel that a netlink socket can talk to: linux/netlink.h.</summary>
public enum NetlinkProtocol
{
    /// <summary>NETLINK_ROUTE: links, addresses, routes, rules, neighbours.</summary>
    Route = 0,

    /// <summary>NETLINK_SOCK_DIAG: the sockets of a namespace.</summary>
    SocketDiagnosis = 4,

    /// <summary>NETLINK_XFRM.</summary>
    Xfrm = 6,

    /// <summary>NETLINK_NETFILTER: nftables, conntrack.</summary>
    Netfilter = 12,

    /// <summary>NETLINK_GENERIC: IPVS and others that register by name.</summary>
    Generic = 16,
}
