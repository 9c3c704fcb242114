using System.Runtime.InteropServices;

namespace Skep.Kernel.Netlink;

/// <summary>Walks over the messages of one datagram. A message whose length does not fit ends the walk.</summary>
public ref struct NetlinkReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    public bool Next(out NetlinkMessage message)
    {
        message = default;
        if (_rest.Length < NetlinkWriter.MessageHeaderSize)
        {
            return false;
        }

        var length = MemoryMarshal.Read<uint>(_rest);
        if (length < NetlinkWriter.MessageHeaderSize || length > _rest.Length)
        {
            return false;
        }

        message = new NetlinkMessage(_rest[..(int)length]);
        _rest = _rest[Math.Min(((int)length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
