using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;

namespace Skep.Network.Probes;

/// <summary>
/// Sends datagrams to the peers' ingress_sbox and answers theirs. Some have a checksum that the kernel leaves to the card, as a
/// container's have; some have none. Where only those without arrive, the card's checksums are wrong. Answers have none.
/// </summary>
internal sealed class DatagramEcho : IDisposable
{
    /// <summary>In ingress_sbox only; nothing but another node's ingress_sbox reaches it.</summary>
    public const int Port = 7894;

    private const int SOL_SOCKET = 1;
    private const int SO_NO_CHECK = 11;
    private const uint Question = 0x736b6571;
    private const uint Answer = 0x736b6561;
    private const int Size = 64;

    private readonly ConcurrentDictionary<uint, (IPAddress From, TaskCompletionSource Answered)> _asked = [];
    private readonly CancellationTokenSource _closed = new();
    private readonly Socket _plain;
    private readonly Socket _summed;
    private readonly TimeProvider _clock;
    private readonly Func<IPAddress, bool> _isPeer;
    private int _sequence;

    public DatagramEcho(NetworkNamespace ns, IPAddress own, TimeProvider clock, Func<IPAddress, bool> isPeer)
    {
        (_clock, _isPeer) = (clock, isPeer);
        _plain = ns.Run(() => new Socket(own.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        _summed = ns.Run(() => new Socket(own.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        try
        {
            _plain.SetRawSocketOption(SOL_SOCKET, SO_NO_CHECK, BitConverter.GetBytes(1));
            _plain.Bind(new IPEndPoint(own, Port));
            _summed.Bind(new IPEndPoint(own, 0));
        }
        catch
        {
            Dispose();
            throw;
        }

        _ = ReceiveAsync(_plain);
        _ = ReceiveAsync(_summed);
    }

    /// <summary>Whether a datagram with (or without) a checksum reaches the peer's daemon.</summary>
    public async Task<bool> AskAsync(IPAddress peer, bool summed, TimeSpan patience, CancellationToken cancellationToken)
    {
        var sequence = (uint)Interlocked.Increment(ref _sequence);
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[sequence] = (peer, answered);
        try
        {
            (summed ? _summed : _plain).SendTo(Message(Question, sequence), new IPEndPoint(peer, Port));
            await answered.Task.WaitAsync(patience, _clock, cancellationToken);
            return true;
        }
        catch (Exception failure) when (failure is TimeoutException or SocketException)
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
        _plain.Dispose();
        _summed.Dispose();
        _closed.Dispose();
    }

    private static byte[] Message(uint kind, uint sequence)
    {
        var message = new byte[Size];
        BinaryPrimitives.WriteUInt32BigEndian(message, kind);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), sequence);
        // Not all zero: the sum of nothing would be right whatever a card makes of it.
        message.AsSpan(8).Fill(0x5a);
        return message;
    }

    private async Task ReceiveAsync(Socket socket)
    {
        var buffer = new byte[2048];
        var closed = _closed.Token;
        while (!closed.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), closed);
                Take((IPEndPoint)received.RemoteEndPoint, buffer.AsSpan(0, received.ReceivedBytes));
            }
            catch (SocketException)
            {
                // A peer whose daemon is away refuses; its question goes without an answer.
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Take(IPEndPoint sender, ReadOnlySpan<byte> message)
    {
        if (message.Length < 8 || !_isPeer(sender.Address))
        {
            return;
        }

        var sequence = BinaryPrimitives.ReadUInt32BigEndian(message[4..]);
        switch (BinaryPrimitives.ReadUInt32BigEndian(message))
        {
            case Question:
                _plain.SendTo(Message(Answer, sequence), sender);
                break;
            case Answer when _asked.TryGetValue(sequence, out var asked) && asked.From.Equals(sender.Address):
                asked.Answered.TrySetResult();
                break;
        }
    }
}
