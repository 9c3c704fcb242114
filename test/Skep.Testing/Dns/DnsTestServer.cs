using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Skep.Testing.Dns;

/// <summary>A name server outside the swarm: answers over UDP and TCP what the test says (null: nothing at all), and keeps what it was asked.</summary>
public sealed class DnsTestServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Socket _datagrams;
    private readonly Socket _listener;
    private readonly Func<byte[], byte[]?> _answer;
    private readonly Task _running;

    /// <param name="datagrams">A bound UDP socket; closed here.</param>
    /// <param name="listener">A listening TCP socket; closed here.</param>
    /// <param name="answer">Query to answer.</param>
    public DnsTestServer(Socket datagrams, Socket listener, Func<byte[], byte[]?> answer)
    {
        (_datagrams, _listener, _answer) = (datagrams, listener, answer);
        _running = Task.WhenAll(ServeAsync(_stopping.Token), AcceptAsync(_stopping.Token));
    }

    /// <summary>What it was asked, with "udp" or "tcp", in order.</summary>
    public ConcurrentQueue<(string Transport, DnsMessage Query)> Asked { get; } = new();

    /// <summary>On an address of loopback and the port.</summary>
    public static DnsTestServer At(string address, int port, Func<byte[], byte[]?> answer)
    {
        var place = new IPEndPoint(IPAddress.Parse(address), port);
        var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(place);
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(place);
        listener.Listen();
        return new DnsTestServer(datagrams, listener, answer);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _datagrams.Dispose();
        _listener.Dispose();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task ServeAsync(CancellationToken stopping)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var got = await _datagrams.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), stopping);
            if (Answer("udp", buffer[..got.ReceivedBytes]) is { } answer)
            {
                await _datagrams.SendToAsync(answer, got.RemoteEndPoint, stopping);
            }
        }
    }

    private async Task AcceptAsync(CancellationToken stopping)
    {
        while (true)
        {
            using var stream = new NetworkStream(await _listener.AcceptAsync(stopping), ownsSocket: true);
            var length = new byte[2];
            await stream.ReadExactlyAsync(length, stopping);
            var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(query, stopping);
            if (Answer("tcp", query) is { } answer)
            {
                await stream.WriteAsync((byte[])[(byte)(answer.Length >> 8), (byte)answer.Length, .. answer], stopping);
            }
        }
    }

    private byte[]? Answer(string transport, byte[] query)
    {
        Asked.Enqueue((transport, DnsMessage.Parse(query)));
        return _answer(query);
    }
}
