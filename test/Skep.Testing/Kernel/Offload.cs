using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Skep.Kernel.Namespaces;

namespace Skep.Testing.Kernel;

/// <summary><c>ethtool -K LINK tx off</c>: checksums are computed before a packet leaves, as on a wire, and not left to the other end of a cable.</summary>
public static partial class Offload
{
    // linux/sockios.h, linux/ethtool.h
    private const nuint SIOCETHTOOL = 0x8946;
    private const int ETHTOOL_STXCSUM = 0x17;
    private const int NameSize = 16;

    public static void SwitchOffChecksums(NetworkNamespace ns, string link)
    {
        // struct ethtool_value { u32 cmd, data }; struct ifreq begins with the name and a pointer to it.
        var value = Marshal.AllocHGlobal(8);
        using var socket = ns.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        try
        {
            Marshal.WriteInt32(value, ETHTOOL_STXCSUM);
            Marshal.WriteInt32(value, 4, 0);
            var request = new byte[40];
            Encoding.ASCII.GetBytes(link).CopyTo(request, 0);
            MemoryMarshal.Write(request.AsSpan(NameSize), value);
            if (Control(socket.SafeHandle, SIOCETHTOOL, request) != 0)
            {
                throw new IOException($"ethtool -K {link} tx off: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
        finally
        {
            Marshal.FreeHGlobal(value);
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeHandle descriptor, nuint request, Span<byte> argument);
}
