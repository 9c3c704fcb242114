using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace Skep.Kernel.Netlink;

/// <summary>
/// Writes netlink messages one after the other (netlink(7)). Every open scope hands out a token; ending it back-fills the length.
/// Numbers are in the host's byte order unless the method says otherwise; everything is padded to four bytes.
/// Sequence numbers stay zero: the socket stamps them when it sends.
/// </summary>
public sealed class NetlinkWriter
{
    internal const int MessageHeaderSize = 16;
    internal const int AttributeHeaderSize = 4;

    private byte[] _buffer = new byte[1024];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>How many messages have been begun.</summary>
    public int Count { get; private set; }

    internal Span<byte> Stampable => _buffer.AsSpan(0, _length);

    /// <summary>Opens a message: struct nlmsghdr of linux/netlink.h.</summary>
    public MessageToken BeginMessage(ushort type, ushort flags)
    {
        var start = _length;
        var header = Take(MessageHeaderSize);
        MemoryMarshal.Write(header[4..], type);
        MemoryMarshal.Write(header[6..], flags);
        Count++;
        return new MessageToken(start);
    }

    public void EndMessage(MessageToken token) => MemoryMarshal.Write(_buffer.AsSpan(token.Start), (uint)(_length - token.Start));

    /// <summary>The fixed header that follows a message's own header, such as struct ifinfomsg.</summary>
    public void Header<T>(in T header) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in header, 1));
        bytes.CopyTo(Take(bytes.Length));
    }

    /// <summary>All that follows a message's own header, as it was read from another.</summary>
    public void Payload(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>Opens an attribute that holds attributes.</summary>
    public NestedToken BeginNested(ushort type)
    {
        var start = _length;
        MemoryMarshal.Write(Take(AttributeHeaderSize)[2..], type);
        return new NestedToken(start);
    }

    public void EndNested(NestedToken token) => MemoryMarshal.Write(_buffer.AsSpan(token.Start), (ushort)(_length - token.Start));

    public void Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        var attribute = Take(AttributeHeaderSize + value.Length);
        MemoryMarshal.Write(attribute, (ushort)(AttributeHeaderSize + value.Length));
        MemoryMarshal.Write(attribute[2..], type);
        value.CopyTo(attribute[AttributeHeaderSize..]);
    }

    public void Attribute(ushort type, byte value) => Attribute(type, [value]);

    public void Attribute(ushort type, bool value) => Attribute(type, [value ? (byte)1 : (byte)0]);

    public void Attribute(ushort type, ushort value) => Attribute(type, MemoryMarshal.AsBytes(new ReadOnlySpan<ushort>(in value)));

    public void Attribute(ushort type, uint value) => Attribute(type, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    /// <summary>Text without a terminating zero, which NLA_STRING does not need.</summary>
    public void Attribute(ushort type, string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        var attribute = Take(AttributeHeaderSize + length);
        MemoryMarshal.Write(attribute, (ushort)(AttributeHeaderSize + length));
        MemoryMarshal.Write(attribute[2..], type);
        Encoding.UTF8.GetBytes(value, attribute[AttributeHeaderSize..]);
    }

    /// <summary>4 or 16 bytes in network order.</summary>
    public void Attribute(ushort type, IPAddress value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, out var count);
        Attribute(type, bytes[..count]);
    }

    /// <summary>A number in network order (<c>__be16</c>), as for ports.</summary>
    public void AttributeBigEndian(ushort type, ushort value) => Attribute(type, BinaryPrimitives.ReverseEndianness(value));

    /// <summary>A number in network order (<c>__be32</c>).</summary>
    public void AttributeBigEndian(ushort type, uint value) => Attribute(type, BinaryPrimitives.ReverseEndianness(value));

    private Span<byte> Take(int size)
    {
        var (start, padded) = (_length, (size + 3) & ~3);
        if (start + padded > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, start + padded));
        }

        _length += padded;
        return _buffer.AsSpan(start, size);
    }

    /// <summary>An open message.</summary>
    public readonly record struct MessageToken(int Start);

    /// <summary>An open nested attribute.</summary>
    public readonly record struct NestedToken(int Start);
}
