using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Skep.Network.Dns;

/// <summary>
/// Asks the servers outside, one after the other, over the transport of the asker: four seconds each, the next one when a server
/// fails or refuses. An answer, also "no such name", is final.
/// </summary>
/// <param name="open">Makes a socket in the namespace from which the servers are reached.</param>
/// <param name="clock">Times the patience with each server.</param>
/// <param name="port">Where the servers listen.</param>
internal sealed class Forwarder(Func<AddressFamily, SocketType, ProtocolType, Socket> open, TimeProvider clock, int port = 53) : IDisposable
{
    private const int MostAtOnce = 1024;
    private const int MostWaiting = 4096;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    private readonly SemaphoreSlim _places = new(MostAtOnce);
    private int _waiting;

    /// <summary>The answer to give back, with the asker's id. Never fails: trouble becomes SERVFAIL or REFUSED.</summary>
    public async Task<byte[]> AskAsync(ReadOnlyMemory<byte> query, IReadOnlyList<IPAddress> servers, bool overTcp, CancellationToken stopping)
    {
        if (!_places.Wait(0, CancellationToken.None) && !await TakePlaceAsync(stopping))
        {
            return Failure(query.Span, DnsNumbers.Refused);
        }

        try
        {
            foreach (var server in servers)
            {
                if (await AskOneAsync(query, server, overTcp, stopping) is { } answer && (answer[3] & 0x0f) is not (DnsNumbers.ServerFailure or DnsNumbers.Refused))
                {
                    query.Span[..2].CopyTo(answer);
                    return answer;
                }
            }

            return Failure(query.Span, DnsNumbers.ServerFailure);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>False: no place in time, or too many wait already, whose queries would fill the memory.</summary>
    private async Task<bool> TakePlaceAsync(CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(s_patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            if (Interlocked.Increment(ref _waiting) > MostWaiting)
            {
                return false;
            }

            await _places.WaitAsync(both.Token);
            return true;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task<byte[]?> AskOneAsync(ReadOnlyMemory<byte> query, IPAddress server, bool overTcp, CancellationToken stopping)
    {
        // A fresh random id and port for each try: whoever cannot see the question cannot guess an answer.
        var asked = query.ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(asked, (ushort)RandomNumberGenerator.GetInt32(0x10000));
        using var patience = new CancellationTokenSource(s_patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            return overTcp ? await OverTcpAsync(asked, server, both.Token) : await OverUdpAsync(asked, server, both.Token);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException && !stopping.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<byte[]> OverUdpAsync(byte[] asked, IPAddress server, CancellationToken cancellationToken)
    {
        using var socket = open(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(new IPEndPoint(server, port), cancellationToken);
        await socket.SendAsync(asked, cancellationToken);
        var buffer = new byte[PayloadSizeOf(asked)];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, cancellationToken);
            if (IsAnswer(buffer.AsSpan(0, length), asked))
            {
                return buffer[..length];
            }
        }
    }

    private async Task<byte[]> OverTcpAsync(byte[] asked, IPAddress server, CancellationToken cancellationToken)
    {
        using var socket = open(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(server, port), cancellationToken);
        using var stream = new NetworkStream(socket);
        var framed = new byte[asked.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)asked.Length);
        asked.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancellationToken);
        await stream.ReadExactlyAsync(framed.AsMemory(0, 2), cancellationToken);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(framed)];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        return IsAnswer(answer, asked) ? answer : throw new IOException("The server answered another question.");
    }

    private static bool IsAnswer(ReadOnlySpan<byte> message, ReadOnlySpan<byte> asked) =>
        message.Length >= DnsNumbers.HeaderSize && message[..2].SequenceEqual(asked[..2]) && (message[2] & 0x80) != 0;

    private static int PayloadSizeOf(ReadOnlySpan<byte> query)
    {
        Span<char> name = stackalloc char[DnsQuestion.LongestName];
        return DnsQuestion.TryRead(query, name, out var question) ? question.PayloadSize : 512;
    }

    public void Dispose() => _places.Dispose();

    private static byte[] Failure(ReadOnlySpan<byte> query, byte code)
    {
        Span<char> name = stackalloc char[DnsQuestion.LongestName];
        var end = DnsQuestion.TryRead(query, name, out var question) ? question.End : DnsNumbers.HeaderSize;
        var answer = new byte[end];
        DnsAnswer.Empty(query, end, code, answer);
        return answer;
    }
}
