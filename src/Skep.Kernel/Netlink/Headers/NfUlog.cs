namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/netfilter/nfnetlink_log.h.</summary>
internal static class NfUlog
{
    public const ushort NFNL_SUBSYS_ULOG = 4;

    public const ushort NFULNL_MSG_PACKET = 0;
    public const ushort NFULNL_MSG_CONFIG = 1;

    // enum nfulnl_attr_type
    public const ushort NFULA_PAYLOAD = 9;
    public const ushort NFULA_PREFIX = 10;

    // enum nfulnl_attr_config
    public const ushort NFULA_CFG_CMD = 1;
    public const ushort NFULA_CFG_MODE = 2;
    public const ushort NFULA_CFG_TIMEOUT = 4;
    public const ushort NFULA_CFG_QTHRESH = 5;

    public const byte NFULNL_CFG_CMD_BIND = 1;
    public const byte NFULNL_COPY_PACKET = 2;
}
