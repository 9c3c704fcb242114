namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/netfilter/nf_tables.h.</summary>
internal static class NfTables
{
    public const ushort NFT_MSG_NEWGEN = 15;

    public const ushort NFTA_GEN_ID = 1;
    public const ushort NFTA_GEN_PROC_PID = 2;
    public const ushort NFTA_GEN_PROC_NAME = 3;
}
