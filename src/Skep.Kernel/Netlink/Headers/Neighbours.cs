namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/neighbour.h.</summary>
internal static class Neighbours
{
    public const ushort NDA_DST = 1;
    public const ushort NDA_LLADDR = 2;
    public const ushort NDA_PORT = 6;
    public const ushort NDA_VNI = 7;
    public const ushort NDA_IFINDEX = 8;
    public const ushort NDA_MASTER = 9;

    public const byte NTF_SELF = 0x02;
    public const byte NTF_MASTER = 0x04;

    public const ushort NUD_NOARP = 0x40;
    public const ushort NUD_PERMANENT = 0x80;
}
