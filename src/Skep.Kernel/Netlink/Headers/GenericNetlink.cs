using System.Runtime.InteropServices;

namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/genetlink.h.</summary>
internal static class GenericNetlink
{
    public const ushort GENL_ID_CTRL = 16;
    public const byte CTRL_CMD_GETFAMILY = 3;
    public const byte CTRL_VERSION = 1;
    public const ushort CTRL_ATTR_FAMILY_ID = 1;
    public const ushort CTRL_ATTR_FAMILY_NAME = 2;
}

/// <summary>struct genlmsghdr of linux/genetlink.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GenlMessage
{
    public byte Command;
    public byte Version;
    public ushort Reserved;
}
