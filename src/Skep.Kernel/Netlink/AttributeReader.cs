using System.Runtime.InteropServices;

namespace Skep.Kernel.Netlink;

/// <summary>Walks over attributes (struct nlattr of linux/netlink.h). An attribute whose length does not fit ends the walk.</summary>
public ref struct AttributeReader(ReadOnlySpan<byte> bytes)
{
    // linux/netlink.h: NLA_F_NESTED and NLA_F_NET_BYTEORDER are the type's two highest bits.
    private const ushort NLA_TYPE_MASK = 0x3FFF;

    private ReadOnlySpan<byte> _rest = bytes;

    public bool Next(out NetlinkAttribute attribute)
    {
        attribute = default;
        if (_rest.Length < NetlinkWriter.AttributeHeaderSize)
        {
            return false;
        }

        var length = MemoryMarshal.Read<ushort>(_rest);
        if (length < NetlinkWriter.AttributeHeaderSize || length > _rest.Length)
        {
            return false;
        }

        var type = (ushort)(MemoryMarshal.Read<ushort>(_rest[2..]) & NLA_TYPE_MASK);
        attribute = new NetlinkAttribute(type, _rest[NetlinkWriter.AttributeHeaderSize..length]);
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }

    /// <summary>The first attribute of this type from here on; an empty one if there is none.</summary>
    public NetlinkAttribute Find(ushort type)
    {
        while (Next(out var attribute))
        {
            if (attribute.Type == type)
            {
                return attribute;
            }
        }

        return default;
    }
}
