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
        var descriptor = NetlinkCalls.Socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)protocol);
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

    public static void SetReceiveTimeout(SafeSocketHandle socket, TimeSpan timeout)
    {
        // struct timeval: seconds and microseconds, both long.
        ReadOnlySpan<long> value = [(long)timeout.TotalSeconds, 0];
        SetOption(socket, SOL_SOCKET, SO_RCVTIMEO, MemoryMarshal.AsBytes(value), 2 * sizeof(long));
    }

    private static NetlinkException LastError(string attempt) => NetlinkException.For(Marshal.GetLastPInvokeError(), attempt);
}
