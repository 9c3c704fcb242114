using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using static Skep.Kernel.Native.NetlinkCalls;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;

namespace Skep.Kernel.Netlink;

/// <summary>
/// A socket for requests and their answers (netlink(7)). It belongs to the namespace it was opened in for good. Not thread-safe:
/// its user takes turns.
/// </summary>
public sealed class NetlinkSocket : IDisposable
{
    // Messages are sent in pieces of this size: well under the default send buffer (208 KiB).
    private const int LargestSend = 64 * 1024;
    private const int ReceiveBuffer = 4 * 1024 * 1024;
    private const int LargestAnswer = 64 * 1024;

    // A netfilter transaction is one datagram, however long.
    private const int SendBuffer = 64 * 1024 * 1024;
    private const int DumpAttempts = 20;

    private readonly SafeSocketHandle _socket;

    // Lent for one request: a node has some sockets for each namespace, and most of them rest.
    private byte[] _received = [];
    private uint _sequence;
    private bool _detached;

    private NetlinkSocket(SafeSocketHandle socket)
    {
        _socket = socket;
        PortId = NetlinkDescriptor.PortId(socket);
    }

    /// <summary>How the kernel names this socket; notices of changes made through it carry this number.</summary>
    public uint PortId { get; }

    /// <summary>Opens a socket in <paramref name="ns"/>, or in the calling thread's namespace.</summary>
    public static NetlinkSocket Open(NetlinkProtocol protocol, NetworkNamespace? ns = null)
    {
        var socket = ns is null ? NetlinkDescriptor.Open(protocol) : ns.Run(() => NetlinkDescriptor.Open(protocol));

        // Errors are explained, acknowledgements do not repeat the request, dumps obey the filters they are given. Kernels
        // without one of them work all the same, with fewer words.
        NetlinkDescriptor.TrySet(socket, SOL_NETLINK, NETLINK_EXT_ACK, 1);
        NetlinkDescriptor.TrySet(socket, SOL_NETLINK, NETLINK_CAP_ACK, 1);
        if (protocol == NetlinkProtocol.Route)
        {
            NetlinkDescriptor.TrySet(socket, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
        }

        NetlinkDescriptor.TrySet(socket, SOL_SOCKET, SO_RCVBUFFORCE, ReceiveBuffer);
        if (protocol == NetlinkProtocol.Netfilter)
        {
            NetlinkDescriptor.TrySet(socket, SOL_SOCKET, SO_SNDBUFFORCE, SendBuffer);
        }

        // The kernel answers while it is sent to. Should an answer be lost, the caller gets an error and not a wait without end.
        NetlinkDescriptor.SetReceiveTimeout(socket, TimeSpan.FromSeconds(30));
        return new NetlinkSocket(socket);
    }

    /// <summary>
    /// Sends every message and collects the kernel's answers; returns the refusals in order. A refused message does not stop those after it.
    /// </summary>
    public IReadOnlyList<NetlinkRefusal> Execute(NetlinkWriter writer)
    {
        using var room = new Room(this);
        var refusals = new List<NetlinkRefusal>();
        var rest = writer.Stampable;
        var index = 0;
        while (rest.Length > 0)
        {
            var piece = TakePiece(rest, out var count);
            SendPiece(piece, index, count, refusals);
            rest = rest[piece.Length..];
            index += count;
        }

        return refusals;
    }

    /// <summary>
    /// Sends a netfilter transaction, which the kernel does as a whole or not at all: its first message opens it, its last one closes
    /// it. Returns the refusals; none means that it is done. One that names message 0 is of the transaction itself.
    /// </summary>
    public IReadOnlyList<NetlinkRefusal> ExecuteTransaction(NetlinkWriter writer)
    {
        using var room = new Room(this);
        var refusals = new List<NetlinkRefusal>();
        var first = _sequence + 1;
        // The closing message has no answer; the one before it has, once the transaction is decided.
        var last = _sequence + (uint)writer.Count - 1;
        _sequence += (uint)writer.Count;
        var rest = writer.Stampable;
        for (var sequence = first; rest.Length > 0; sequence++)
        {
            MemoryMarshal.Write(rest[8..], sequence);
            if (sequence == last)
            {
                MemoryMarshal.Write(rest[6..], (ushort)(MemoryMarshal.Read<ushort>(rest[6..]) | NLM_F_ACK));
            }

            rest = rest[(((int)MemoryMarshal.Read<uint>(rest) + 3) & ~3)..];
        }

        Send(writer.Written);
        for (var done = false; !done;)
        {
            var reader = new NetlinkReader(Receive());
            while (reader.Next(out var answer))
            {
                if (answer.Type != NLMSG_ERROR || answer.Sequence - first > last - first)
                {
                    continue;
                }

                var (errno, explanation) = NetlinkAnswer.Outcome(answer);
                if (errno != 0)
                {
                    refusals.Add(new NetlinkRefusal((int)(answer.Sequence - first), errno, explanation));
                }

                // A refusal of the whole may be the only answer.
                done |= answer.Sequence == last || (answer.Sequence == first && errno != 0);
            }
        }

        return refusals;
    }

    /// <summary>
    /// Sends one message that reads and returns what <paramref name="parse"/> makes of each answer (null is left out). A dump
    /// during which the table changed is inconsistent, so it is read again.
    /// </summary>
    public List<T> Read<T>(NetlinkWriter request, NetlinkParser<T> parse, string attempt) where T : class
    {
        using var room = new Room(this);
        for (var attempts = 0; attempts < DumpAttempts; attempts++)
        {
            var found = new List<T>();
            var sequence = ++_sequence;
            MemoryMarshal.Write(request.Stampable[8..], sequence);
            Send(request.Written);
            if (Collect(sequence, parse, found, attempt))
            {
                return found;
            }
        }

        throw NetlinkException.For(Errno.EAGAIN, attempt, "the table never stood still while it was read");
    }

    /// <summary>Hands the descriptor over to somebody who goes on to read it.</summary>
    internal SafeSocketHandle Detach()
    {
        _detached = true;
        return _socket;
    }

    public void Dispose()
    {
        if (!_detached)
        {
            _socket.Dispose();
        }
    }

    private static Span<byte> TakePiece(Span<byte> messages, out int count)
    {
        var length = 0;
        for (count = 0; length < messages.Length; count++)
        {
            var next = ((int)MemoryMarshal.Read<uint>(messages[length..]) + 3) & ~3;
            if (count > 0 && length + next > LargestSend)
            {
                break;
            }

            length += next;
        }

        return messages[..length];
    }

    // Only the last message asks for an acknowledgement: refusals are always answered, and in order, so that one tells that all
    // before it are done. A thousand changes need one short answer.
    private void SendPiece(Span<byte> piece, int firstIndex, int count, List<NetlinkRefusal> refusals)
    {
        var first = _sequence + 1;
        var last = _sequence += (uint)count;
        var rest = piece;
        for (var sequence = first; rest.Length > 0; sequence++)
        {
            MemoryMarshal.Write(rest[8..], sequence);
            if (sequence == last)
            {
                MemoryMarshal.Write(rest[6..], (ushort)(MemoryMarshal.Read<ushort>(rest[6..]) | NLM_F_ACK));
            }

            rest = rest[(((int)MemoryMarshal.Read<uint>(rest) + 3) & ~3)..];
        }

        Send(piece);
        for (var done = false; !done;)
        {
            var reader = new NetlinkReader(Receive());
            while (reader.Next(out var answer))
            {
                // Anything else is left over from a request that failed half-way.
                if (answer.Type == NLMSG_ERROR && answer.Sequence - first <= last - first)
                {
                    var (errno, explanation) = NetlinkAnswer.Outcome(answer);
                    if (errno != 0)
                    {
                        refusals.Add(new NetlinkRefusal(firstIndex + (int)(answer.Sequence - first), errno, explanation));
                    }

                    done |= answer.Sequence == last;
                }
            }
        }
    }

    private bool Collect<T>(uint sequence, NetlinkParser<T> parse, List<T> found, string attempt) where T : class
    {
        var consistent = true;
        while (true)
        {
            var reader = new NetlinkReader(Receive());
            while (reader.Next(out var answer))
            {
                if (answer.Sequence != sequence)
                {
                    continue;
                }

                consistent &= (answer.Flags & NLM_F_DUMP_INTR) == 0;
                if (answer.Type is NLMSG_ERROR or NLMSG_DONE)
                {
                    var (errno, explanation) = NetlinkAnswer.Outcome(answer);
                    return errno == 0 ? consistent : throw NetlinkException.For(errno, attempt, explanation);
                }

                if (parse(answer) is { } item)
                {
                    found.Add(item);
                }

                if ((answer.Flags & NLM_F_MULTI) == 0)
                {
                    return true;
                }
            }
        }
    }

    private void Send(ReadOnlySpan<byte> data)
    {
        while (NetlinkCalls.Send(_socket, data, data.Length, 0) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR)
            {
                throw NetlinkException.For(errno, "send to the kernel");
            }
        }
    }

    private ReadOnlySpan<byte> Receive()
    {
        while (true)
        {
            var sender = default(NetlinkAddress);
            uint senderLength = NetlinkAddress.Size;
            var length = ReceiveFrom(_socket, _received, _received.Length, MSG_TRUNC, ref sender, ref senderLength);
            if (length < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                {
                    throw NetlinkException.For(errno, "receive from the kernel");
                }
            }
            else if (length > _received.Length)
            {
                throw NetlinkException.For(Errno.EMSGSIZE, "receive from the kernel");
            }
            else if (sender.PortId == 0)
            {
                // Port 0 is the kernel; another process can write to this socket as well, and is not listened to.
                return _received.AsSpan(0, (int)length);
            }
        }
    }

    /// <summary>A buffer for the answers to one request.</summary>
    private readonly ref struct Room
    {
        private readonly NetlinkSocket _socket;

        public Room(NetlinkSocket socket)
        {
            _socket = socket;
            socket._received = ArrayPool<byte>.Shared.Rent(LargestAnswer);
        }

        public void Dispose()
        {
            ArrayPool<byte>.Shared.Return(_socket._received);
            _socket._received = [];
        }
    }
}
