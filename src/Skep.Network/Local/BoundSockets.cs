using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Sockets;

namespace Skep.Network.Local;

/// <summary>Sockets that hold a port and hear nothing. All is done in the calling thread's namespace.</summary>
internal static class BoundSockets
{
    private const int SolSocket = 1;
    private const int BindToIndex = 62;

    /// <summary>A socket that nobody can bind beside; it does not listen, so who is led to it is refused as though nobody were there.</summary>
    /// <param name="protocol">tcp or udp.</param>
    /// <param name="address">Of the host's own; null = all of both families.</param>
    /// <param name="port">0 = any that is free.</param>
    /// <returns>Null when a program has the port.</returns>
    // Connections of a program that has ended keep its port for a minute (TIME_WAIT) from all who do not share it.
    public static Socket? Hold(string protocol, IPAddress? address, uint port) =>
        (Bind(protocol, address, port, New) ?? (protocol == "tcp" ? Bind(protocol, address, port, NewBesideEnded) : null)) is { } bound
            ? HighDescriptors.Raise(bound)
            : null;

    // .NET sets SO_REUSEADDR before it binds what it knows to be TCP. With it two sockets of which none listens may share a port,
    // and most servers set it as well. A stream of no named protocol is TCP to the kernel.
    private static Socket New(AddressFamily family, string protocol) => protocol == "tcp"
        ? new Socket(family, SocketType.Stream, ProtocolType.Unspecified)
        : new Socket(family, SocketType.Dgram, ProtocolType.Udp) { ExclusiveAddressUse = true };

    private static Socket NewBesideEnded(AddressFamily family, string protocol) => new(family, SocketType.Stream, ProtocolType.Tcp);

    private static Socket? Bind(string protocol, IPAddress? address, uint port, Func<AddressFamily, string, Socket> make)
    {
        var (own, family) = address is not null ? (address, address.AddressFamily)
            : Socket.OSSupportsIPv6 ? (IPAddress.IPv6Any, AddressFamily.InterNetworkV6)
            : (IPAddress.Any, AddressFamily.InterNetwork);
        var socket = make(family, protocol);
        try
        {
            if (family == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = address is null;
            }

            socket.Bind(new IPEndPoint(own, (int)port));
            if (protocol == "udp")
            {
                Deafen(socket);
            }

            // Who binds beside it now cannot listen.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, false);
            return socket;
        }
        catch (SocketException refusal) when (refusal.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            // An address that went away since it was read needs nobody to hold its ports.
            return socket;
        }
        catch (SocketException refusal) when (refusal.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A bound UDP socket would swallow the datagrams of those who are not let in. Tied to a link that is not there it hears nothing; the
    // number is taken all the same. The kernel looks for the link by name, not by index (SO_BINDTOIFINDEX, Linux 5.1).
    private static void Deafen(Socket socket) => socket.SetRawSocketOption(SolSocket, BindToIndex, BitConverter.GetBytes(int.MaxValue));
}
