using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Skep.Kernel.Sockets;

/// <summary>What a program between two ends of a stream asks of its sockets and .NET has no words for.</summary>
public static class TransparentSockets
{
    // linux/in.h, linux/in6.h, linux/netfilter_ipv4.h, linux/netfilter_ipv6/ip6_tables.h
    private const int SOL_IP = 0;
    private const int SOL_IPV6 = 41;
    private const int SO_ORIGINAL_DST = 80;
    private const int IP_TRANSPARENT = 19;
    private const int IPV6_TRANSPARENT = 75;
    private const int IP_BIND_ADDRESS_NO_PORT = 24;

    /// <summary>Where an accepted connection went before packet rules sent it here; its own local end when none did.</summary>
    /// <exception cref="SocketException">The kernel does not track it.</exception>
    public static IPEndPoint OriginalDestination(Socket accepted)
    {
        ArgumentNullException.ThrowIfNull(accepted);
        var six = accepted.AddressFamily == AddressFamily.InterNetworkV6;

        // struct sockaddr_in: family, port, address; struct sockaddr_in6: family, port, flow, address, scope.
        Span<byte> address = stackalloc byte[six ? 28 : 16];
        accepted.GetRawSocketOption(six ? SOL_IPV6 : SOL_IP, SO_ORIGINAL_DST, address);
        return new IPEndPoint(new IPAddress(six ? address[8..24] : address[4..8]), BinaryPrimitives.ReadUInt16BigEndian(address[2..]));
    }

    /// <summary>
    /// Makes a socket that is not connected yet speak with an address that is another's (CAP_NET_ADMIN). The port is chosen when it
    /// connects, so that as many connections fit as there are ports for each destination.
    /// </summary>
    public static void SpeakAs(Socket socket, IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(address);
        ReadOnlySpan<byte> on = [1, 0, 0, 0];
        var (level, option) = socket.AddressFamily == AddressFamily.InterNetworkV6 ? (SOL_IPV6, IPV6_TRANSPARENT) : (SOL_IP, IP_TRANSPARENT);
        socket.SetRawSocketOption(level, option, on);

        // Of both families (net/ipv6/af_inet6.c asks for it, too).
        socket.SetRawSocketOption(SOL_IP, IP_BIND_ADDRESS_NO_PORT, on);
        socket.Bind(new IPEndPoint(address, 0));
    }
}
