namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/if_addr.h.</summary>
internal static class IfAddr
{
    public const ushort IFA_ADDRESS = 1;
    public const ushort IFA_LOCAL = 2;
    public const ushort IFA_FLAGS = 8;

    public const byte IFA_F_NODAD = 0x02;
    public const uint IFA_F_PERMANENT = 0x80;
}
