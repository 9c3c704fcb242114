using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Kernel.Netlink;

/// <summary>One received message: struct nlmsghdr of linux/netlink.h and what follows. Valid while its buffer is.</summary>
public readonly ref struct NetlinkMessage(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public ushort Type => MemoryMarshal.Read<ushort>(_bytes[4..]);

    public ushort Flags => MemoryMarshal.Read<ushort>(_bytes[6..]);

    public uint Sequence => MemoryMarshal.Read<uint>(_bytes[8..]);

    /// <summary>Whose request this answers or reports: the port of the socket that asked; 0 is the kernel itself.</summary>
    public uint PortId => MemoryMarshal.Read<uint>(_bytes[12..]);

    public ReadOnlySpan<byte> Payload => _bytes[NetlinkWriter.MessageHeaderSize..];

    /// <summary>The fixed header at the payload's start; zeros where the message is too short for it.</summary>
    public T Header<T>() where T : unmanaged => Payload.Length >= Unsafe.SizeOf<T>() ? MemoryMarshal.Read<T>(Payload) : default;

    /// <summary>The attributes that follow the fixed header <typeparamref name="T"/>.</summary>
    public AttributeReader AttributesAfter<T>() where T : unmanaged =>
        new(Payload.Length > Unsafe.SizeOf<T>() ? Payload[((Unsafe.SizeOf<T>() + 3) & ~3)..] : default);
}
