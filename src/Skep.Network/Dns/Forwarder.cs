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
internal sealed class Forwarder(Func<AddressFamily, SocketType, ProtocolType, Socket> open, TimeProvider clock) : IDisposable
{
    private const int MostAtOnce = 1024;
    private const int LargestDatagram = 4096;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    private readonly SemaphoreSlim _places = new(MostAtOnce);

    /// <summary>The answer to give back, with the asker's id. Never fails: trouble becomes SERVFAIL or REFUSED.</summary>
    public async Task<byte[]> AskAsync(ReadOnlyMemory<byte> query, IReadOnlyList<IPAddress> servers, bool overTcp, CancellationToken stopping)
    {
        if (!await _places.WaitAsync(s_patience, stopping))
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
        await socket.ConnectAsync(new IPEndPoint(server, 53), cancellationToken);
        await socket.SendAsync(asked, cancellationToken);
        var buffer = new byte[LargestDatagram];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, cancellationToken);
            if (length >= DnsNumbers.HeaderSize && buffer.AsSpan(0, 2).SequenceEqual(asked.AsSpan(0, 2)))
            {
                return buffer[..length];
            }
        }
    }

    private async Task<byte[]> OverTcpAsync(byte[] asked, IPAddress server, CancellationToken cancellationToken)
    {
        using var socket = open(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(server, 53), cancellationToken);
        using var stream = new NetworkStream(socket);
        var framed = new byte[asked.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)asked.Length);
        asked.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancellationToken);
        await stream.ReadExactlyAsync(framed.AsMemory(0, 2), cancellationToken);
        var answer = new byte[Math.Max(DnsNumbers.HeaderSize, (int)BinaryPrimitives.ReadUInt16BigEndian(framed))];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        return answer;
    }

    public void Dispose() => _places.Dispose();

    private static byte[] Failure(ReadOnlySpan<byte> query, byte code)
    {
        Span<char> name = stackalloc char[256];
        var end = DnsQuestion.TryRead(query, name, out var question) ? question.End : DnsNumbers.HeaderSize;
        var answer = new byte[end];
        DnsAnswer.Empty(query, end, code, answer);
        return answer;
    }
}
