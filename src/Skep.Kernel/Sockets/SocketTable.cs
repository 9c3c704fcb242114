using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.InetDiag;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;

namespace Skep.Kernel.Sockets;

/// <summary>The TCP and UDP sockets of one network namespace (sock_diag(7)), whatever process has them. Thread-safe.</summary>
public sealed class SocketTable : IDisposable
{
    private const byte Tcp = 6;
    private const byte Udp = 17;

    private readonly Lock _gate = new();
    private readonly NetlinkSocket _socket;

    private SocketTable(NetlinkSocket socket) => _socket = socket;

    /// <summary>Opens the table of <paramref name="ns"/>; null: of the calling thread's namespace.</summary>
    public static SocketTable Open(NetworkNamespace? ns = null) => new(NetlinkSocket.Open(NetlinkProtocol.SocketDiagnosis, ns));

    /// <summary>The TCP sockets of both families that are in one of these states.</summary>
    /// <exception cref="NetlinkException">ENOENT: the kernel has no tcp_diag.</exception>
    public IReadOnlyList<SocketEntry> Tcps(params ReadOnlySpan<SocketState> states) => Both(Tcp, MaskOf(states), "read the TCP sockets");

    /// <summary>The UDP sockets of both families that have a port.</summary>
    /// <exception cref="NetlinkException">ENOENT: the kernel has no udp_diag.</exception>
    public IReadOnlyList<SocketEntry> Udps() => Both(Udp, MaskOf([SocketState.Close, SocketState.Established]), "read the UDP sockets");

    public void Dispose()
    {
        lock (_gate)
        {
            _socket.Dispose();
        }
    }

    private static uint MaskOf(ReadOnlySpan<SocketState> states)
    {
        var mask = 0u;
        foreach (var state in states)
        {
            mask |= 1u << (int)state;
        }

        return mask;
    }

    private List<SocketEntry> Both(byte protocol, uint states, string attempt)
    {
        lock (_gate)
        {
            return [.. Read(AddressFamily.InterNetwork, protocol, states, attempt), .. Read(AddressFamily.InterNetworkV6, protocol, states, attempt)];
        }
    }

    private List<SocketEntry> Read(AddressFamily family, byte protocol, uint states, string attempt)
    {
        var writer = new NetlinkWriter();
        var message = writer.BeginMessage(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP);
        writer.Header(new InetDiagRequest { Family = (byte)(family == AddressFamily.InterNetwork ? 2 : 10), Protocol = protocol, States = states });
        writer.EndMessage(message);
        return _socket.Read<SocketEntry>(writer, Parse, attempt);
    }

    private static SocketEntry? Parse(NetlinkMessage message)
    {
        if (message.Type != SOCK_DIAG_BY_FAMILY)
        {
            return null;
        }

        var socket = message.Header<InetDiagMessage>();
        return new SocketEntry(
            (SocketState)socket.State,
            EndOf(socket.Family, socket.Id.Source, socket.Id.SourcePort),
            EndOf(socket.Family, socket.Id.Destination, socket.Id.DestinationPort),
            socket.ReceiveQueue,
            socket.SendQueue) { Inode = socket.Inode, Cookie = socket.Id.Cookie };
    }

    private static IPEndPoint EndOf(byte family, ReadOnlySpan<byte> address, ushort port)
    {
        var end = new IPAddress(family == 2 ? address[..4] : address);
        return new IPEndPoint(end.IsIPv4MappedToIPv6 ? end.MapToIPv4() : end, BinaryPrimitives.ReverseEndianness(port));
    }
}
