using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Skep.Testing.Kernel;

/// <summary>What the kernel knows of a connection (TCP_INFO, linux/tcp.h).</summary>
public static class TcpInfo
{
    private const int Tcp = 6;
    private const int Info = 11;

    // struct tcp_info: eight bytes, then words; tcpi_total_retrans is the 24th of them.
    private const int Retransmitted = 8 + (23 * 4);

    /// <summary>How many segments were sent again, SYNs among them: something was lost. Time does not tell that on a machine that has much to do.</summary>
    public static int Resent(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        var info = new byte[Retransmitted + 4];
        socket.GetRawSocketOption(Tcp, Info, info);
        return MemoryMarshal.Read<int>(info.AsSpan(Retransmitted));
    }
}
