using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Skep.Kernel.Native;
using static Skep.Kernel.Native.NetlinkCalls;

namespace Skep.Kernel.Netlink;

/// <summary>Makes and sets up the descriptors behind <see cref="NetlinkSocket"/> and <see cref="NetlinkListener"/>.</summary>
internal static class NetlinkDescriptor
{
    /// <summary>A bound socket in the calling thread's namespace; the kernel chooses its port.</summary>
    public static SafeSocketHandle Open(NetlinkProtocol protocol)
    {
        var descriptor = LowDescriptors.Apart(() => NetlinkCalls.Socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)protocol));
        if (descriptor < 0)
        {
            throw LastError("open a netlink socket");
        }

        var socket = new SafeSocketHandle(descriptor, ownsHandle: true);
        if (Bind(socket, new NetlinkAddress { Family = AF_NETLINK }, NetlinkAddress.Size) != 0)
        {
            var error = LastError("bind a netlink socket");
            socket.Dispose();
            throw error;
        }

        return socket;
    }

    public static uint PortId(SafeSocketHandle socket)
    {
        var address = default(NetlinkAddress);
        uint length = NetlinkAddress.Size;
        return GetSocketName(socket, ref address, ref length) == 0 ? address.PortId : throw LastError("name a netlink socket");
    }

    public static bool TrySet(SafeSocketHandle socket, int level, int name, int value) =>
        SetOption(socket, level, name, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in value)), sizeof(int)) == 0;

    public static void Set(SafeSocketHandle socket, int level, int name, int value)
    {
        if (!TrySet(socket, level, name, value))
        {
            throw LastError($"set option {level}/{name} of a netlink socket");
        }
    }

    /// <summary>Drops messages that carry this port, by a filter of four instructions (linux/filter.h).</summary>
    public static unsafe bool TryIgnore(SafeSocketHandle socket, uint portId)
    {
        const ushort LoadWord = 0x20;
        const ushort JumpIfEqual = 0x15;
        const ushort Return = 0x06;
        const uint PortOfMessage = 12;
        // A filter reads in network order; the header is in the host's.
        var asRead = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(portId) : portId;
        ReadOnlySpan<FilterStep> filter =
        [
            new(LoadWord, 0, 0, PortOfMessage),
            new(JumpIfEqual, 0, 1, asRead),
            new(Return, 0, 0, 0),
            new(Return, 0, 0, uint.MaxValue),
        ];
        fixed (FilterStep* steps = filter)
        {
            // struct sock_fprog: a count and a pointer.
            ReadOnlySpan<nint> program = [filter.Length, (nint)steps];
            return SetOption(socket, SOL_SOCKET, SO_ATTACH_FILTER, MemoryMarshal.AsBytes(program), (uint)(2 * nint.Size)) == 0;
        }
    }

    public static void SetReceiveTimeout(SafeSocketHandle socket, TimeSpan timeout)
    {
        // struct timeval: seconds and microseconds, both long.
        ReadOnlySpan<long> value = [(long)timeout.TotalSeconds, 0];
        SetOption(socket, SOL_SOCKET, SO_RCVTIMEO, MemoryMarshal.AsBytes(value), 2 * sizeof(long));
    }

    private static NetlinkException LastError(string attempt) => NetlinkException.For(Marshal.GetLastPInvokeError(), attempt);

    /// <summary>struct sock_filter.</summary>
    private readonly record struct FilterStep(ushort Code, byte IfTrue, byte IfFalse, uint Value);
}
