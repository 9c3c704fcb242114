using System.Runtime.InteropServices;

namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/netfilter/nfnetlink.h.</summary>
internal static class Nfnetlink
{
    public const ushort NFNL_SUBSYS_CTNETLINK = 1;
    public const ushort NFNL_SUBSYS_NFTABLES = 10;

    public const ushort NFNL_MSG_BATCH_BEGIN = 16;
    public const ushort NFNL_MSG_BATCH_END = 17;

    public const int NFNLGRP_NFTABLES = 7;

    public static ushort MessageType(ushort subsystem, ushort message) => (ushort)((subsystem << 8) | message);
}

/// <summary>struct nfgenmsg of linux/netfilter/nfnetlink.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NfGenMessage
{
    public byte Family;
    public byte Version;
    public ushort ResourceId;
}
