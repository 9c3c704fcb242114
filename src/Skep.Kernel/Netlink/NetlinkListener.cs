using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;

namespace Skep.Kernel.Netlink;

/// <summary>
/// Listens to multicast groups of one namespace. Waiting costs no thread. Notices are kept from the moment it is opened.
/// </summary>
public sealed class NetlinkListener : IDisposable
{
    private const int ReceiveBuffer = 8 * 1024 * 1024;

    private const int LargestNotice = 64 * 1024;

    // So many datagrams are read before what they say is heard.
    private const int MostAtOnce = 64;

    private readonly Socket _socket;
    private readonly byte[] _first = new byte[1];

    private NetlinkListener(Socket socket) => _socket = socket;

    public static NetlinkListener Open(NetlinkProtocol protocol, NetworkNamespace ns, params ReadOnlySpan<int> groups)
    {
        var handle = ns.Run(() => NetlinkDescriptor.Open(protocol));
        try
        {
            NetlinkDescriptor.TrySet(handle, NetlinkCalls.SOL_SOCKET, NetlinkCalls.SO_RCVBUFFORCE, ReceiveBuffer);
            foreach (var group in groups)
            {
                NetlinkDescriptor.Set(handle, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
            }

            return new NetlinkListener(new Socket(handle) { Blocking = false });
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Listens to what <paramref name="setup"/> asks the kernel to tell this socket; <see cref="NetlinkException"/> when it is refused.</summary>
    internal static NetlinkListener Open(NetlinkProtocol protocol, NetworkNamespace ns, NetlinkWriter setup, string attempt)
    {
        using var socket = NetlinkSocket.Open(protocol, ns);
        if (socket.Execute(setup) is [var refusal, ..])
        {
            throw NetlinkException.For(refusal.Errno, attempt, refusal.Explanation);
        }

        return new NetlinkListener(new Socket(socket.Detach()) { Blocking = false });
    }

    /// <summary>
    /// Notices of one socket's changes are dropped by the kernel, before they take room and time. Kernels that cannot send them all the same.
    /// </summary>
    public void Ignore(uint portId) => NetlinkDescriptor.TryIgnore(_socket.SafeHandle, portId);

    /// <summary>
    /// What <paramref name="parse"/> makes of each notice (null is left out), and <paramref name="overrun"/> where notices were lost.
    /// The listener is disposed when the enumeration ends.
    /// </summary>
    public async IAsyncEnumerable<T> FollowAsync<T>(
        NetlinkParser<T> parse, T overrun, [EnumeratorCancellation] CancellationToken cancellationToken) where T : class
    {
        using (this)
        {
            while (true)
            {
                var lost = await WaitAsync(cancellationToken);
                foreach (var notice in ReadAll(parse, overrun, lost))
                {
                    yield return notice;
                }
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    // Until there is something. True: the kernel could not keep every notice (ENOBUFS). Most listeners rest, and none keeps a buffer while it waits.
    private async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _socket.ReceiveAsync(_first, SocketFlags.Peek, cancellationToken);
            return false;
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            return true;
        }
    }

    private List<T> ReadAll<T>(NetlinkParser<T> parse, T overrun, bool lost) where T : class
    {
        var notices = new List<T>();
        var buffer = ArrayPool<byte>.Shared.Rent(LargestNotice);
        try
        {
            for (var i = 0; i < MostAtOnce && !lost; i++)
            {
                var length = _socket.Receive(buffer, SocketFlags.None, out var error);
                switch (error)
                {
                    case SocketError.Success:
                        ParseAll(buffer.AsSpan(0, length), parse, notices);
                        break;
                    case SocketError.WouldBlock:
                        return notices;
                    case SocketError.NoBufferSpaceAvailable:
                        lost = true;
                        break;
                    default:
                        throw new SocketException((int)error);
                }
            }

            if (lost)
            {
                Drain(buffer);
                notices.Add(overrun);
            }

            return notices;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void ParseAll<T>(ReadOnlySpan<byte> datagram, NetlinkParser<T> parse, List<T> notices) where T : class
    {
        var reader = new NetlinkReader(datagram);
        while (reader.Next(out var message))
        {
            if (parse(message) is { } notice)
            {
                notices.Add(notice);
            }
        }
    }

    // The kernel tells of a loss once and goes on losing notices until its queue has been empty. So the queue is emptied before
    // anyone hears of the loss: what they read afterwards is newer than everything that was lost.
    private void Drain(Span<byte> buffer)
    {
        SocketError error;
        do
        {
            _socket.Receive(buffer, SocketFlags.None, out error);
        }
        while (error is SocketError.Success or SocketError.NoBufferSpaceAvailable);
    }
}
