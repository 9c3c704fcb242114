namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/netfilter/nfnetlink_conntrack.h.</summary>
internal static class NfConntrack
{
    public const ushort IPCTNL_MSG_CT_NEW = 0;
    public const ushort IPCTNL_MSG_CT_GET = 1;
    public const ushort IPCTNL_MSG_CT_DELETE = 2;
    public const ushort IPCTNL_MSG_CT_GET_STATS = 5;

    // enum ctattr_type
    public const ushort CTA_TUPLE_ORIG = 1;
    public const ushort CTA_TUPLE_REPLY = 2;
    public const ushort CTA_STATUS = 3;
    public const ushort CTA_PROTOINFO = 4;
    public const ushort CTA_NAT_SRC = 6;
    public const ushort CTA_TIMEOUT = 7;
    public const ushort CTA_MARK = 8;
    public const ushort CTA_ID = 12;
    public const ushort CTA_NAT_DST = 13;
    public const ushort CTA_ZONE = 18;
    public const ushort CTA_FILTER = 25;

    // enum ctattr_protoinfo, enum ctattr_protoinfo_tcp
    public const ushort CTA_PROTOINFO_TCP = 1;
    public const ushort CTA_PROTOINFO_TCP_STATE = 1;

    // enum tcp_conntrack of linux/netfilter/nf_conntrack_tcp.h
    public const byte TCP_CONNTRACK_ESTABLISHED = 3;

    // enum ctattr_filter, and its flags of net/netfilter/nf_conntrack_netlink.c
    public const ushort CTA_FILTER_ORIG_FLAGS = 1;
    public const ushort CTA_FILTER_REPLY_FLAGS = 2;
    public const uint CTA_FILTER_F_CTA_IP_SRC = 1 << 0;
    public const uint CTA_FILTER_F_CTA_IP_DST = 1 << 1;

    // enum ip_conntrack_status of nf_conntrack_common.h
    public const uint IPS_SEEN_REPLY = 1 << 1;
    public const uint IPS_ASSURED = 1 << 2;
    public const uint IPS_CONFIRMED = 1 << 3;

    // enum ctattr_nat
    public const ushort CTA_NAT_V4_MINIP = 1;
    public const ushort CTA_NAT_V4_MAXIP = 2;
    public const ushort CTA_NAT_PROTO = 3;
    public const ushort CTA_NAT_V6_MINIP = 4;
    public const ushort CTA_NAT_V6_MAXIP = 5;

    // enum ctattr_protonat
    public const ushort CTA_PROTONAT_PORT_MIN = 1;
    public const ushort CTA_PROTONAT_PORT_MAX = 2;

    // enum ctattr_tuple
    public const ushort CTA_TUPLE_IP = 1;
    public const ushort CTA_TUPLE_PROTO = 2;

    // enum ctattr_ip
    public const ushort CTA_IP_V4_SRC = 1;
    public const ushort CTA_IP_V4_DST = 2;
    public const ushort CTA_IP_V6_SRC = 3;
    public const ushort CTA_IP_V6_DST = 4;

    // enum ctattr_l4proto
    public const ushort CTA_PROTO_NUM = 1;
    public const ushort CTA_PROTO_SRC_PORT = 2;
    public const ushort CTA_PROTO_DST_PORT = 3;

    // enum ctattr_stats_global
    public const ushort CTA_STATS_GLOBAL_ENTRIES = 1;
}
