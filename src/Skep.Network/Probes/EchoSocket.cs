using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;

namespace Skep.Network.Probes;

/// <summary>
/// Asks the kernels of other nodes for echoes, with the "don't fragment" bit set. Their kernels answer without their daemons, so
/// that a daemon that is away makes no node look dead.
/// </summary>
internal sealed class EchoSocket : IDisposable
{
    // linux/in.h, linux/in6.h: PROBE sets the bit and does not heed what was learned of the path before.
    private const int IPPROTO_IP = 0;
    private const int IP_MTU_DISCOVER = 10;
    private const int IPPROTO_IPV6 = 41;
    private const int IPV6_MTU_DISCOVER = 23;
    private const int PMTUDISC_PROBE = 3;

    private readonly ConcurrentDictionary<ushort, (IPAddress From, TaskCompletionSource Answered)> _asked = [];
    private readonly CancellationTokenSource _closed = new();
    private readonly Socket _socket;
    private readonly TimeProvider _clock;
    private readonly Action<IPAddress> _heard;
    private readonly ushort _identifier;
    private int _sequence;

    /// <param name="ns">Where it asks.</param>
    /// <param name="source">Its own address there.</param>
    /// <param name="identifier">Tells its echoes from those of others.</param>
    /// <param name="clock">Measures patience.</param>
    /// <param name="heard">Called for every echo and every request that arrives, with its sender.</param>
    public EchoSocket(NetworkNamespace ns, IPAddress source, ushort identifier, TimeProvider clock, Action<IPAddress> heard)
    {
        (_clock, _heard, _identifier, Family) = (clock, heard, identifier, source.AddressFamily);
        var four = Family == AddressFamily.InterNetwork;
        _socket = ns.Run(() => new Socket(Family, SocketType.Raw, four ? ProtocolType.Icmp : ProtocolType.IcmpV6));
        try
        {
            Span<byte> probe = stackalloc byte[sizeof(int)];
            BitConverter.TryWriteBytes(probe, PMTUDISC_PROBE);
            _socket.SetRawSocketOption(four ? IPPROTO_IP : IPPROTO_IPV6, four ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, probe);
            _socket.Bind(new IPEndPoint(source, 0));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        _ = ReceiveAsync();
    }

    public AddressFamily Family { get; }

    /// <summary>
    /// Whether an answer comes in time. False as well when this node's own link cannot take the packet.
    /// <see cref="ObjectDisposedException"/> or <see cref="SocketException"/> when the socket itself is of no use any more.
    /// </summary>
    /// <param name="to">Who is asked.</param>
    /// <param name="length">Bytes of the packet, with its IP header.</param>
    public async Task<bool> AskAsync(IPAddress to, int length, TimeSpan patience, CancellationToken cancellationToken)
    {
        var sequence = (ushort)Interlocked.Increment(ref _sequence);
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[sequence] = (to, answered);
        try
        {
            var packet = EchoPacket.Request(Family, _identifier, sequence, length - (Family == AddressFamily.InterNetwork ? 20 : 40));
            _socket.SendTo(packet, new IPEndPoint(to, 0));
            await answered.Task.WaitAsync(patience, _clock, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (SocketException tooLong) when (tooLong.SocketErrorCode is SocketError.MessageSize)
        {
            return false;
        }
        finally
        {
            _asked.TryRemove(sequence, out _);
        }
    }

    public void Dispose()
    {
        _closed.Cancel();
        _socket.Dispose();
        _closed.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        var anybody = new IPEndPoint(Family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var closed = _closed.Token;
        while (!closed.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anybody, closed);
                Take(((IPEndPoint)received.RemoteEndPoint).Address, EchoPacket.Parse(Family, buffer.AsSpan(0, received.ReceivedBytes)));
            }
            catch (SocketException)
            {
                // An ICMP error that belongs to a probe; the probe goes without its answer.
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Take(IPAddress sender, EchoPacket.Echo? echo)
    {
        if (echo is not { } known)
        {
            return;
        }

        _heard(sender);
        if (known.Answer && known.Identifier == _identifier && _asked.TryGetValue(known.Sequence, out var asked) && asked.From.Equals(sender))
        {
            asked.Answered.TrySetResult();
        }
    }
}
