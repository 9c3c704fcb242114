using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;

namespace Skep.Network.Dns;

/// <summary>The name server of one sandbox: its two sockets inside, what it may answer, and whom it asks otherwise.</summary>
internal sealed class SandboxNameServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly NetworkNamespace _space;
    private readonly DatagramPump _pump;
    private readonly DatagramService _datagrams;
    private readonly Socket _listener;
    private readonly NameResponder _responder = new();
    private readonly Forwarder _forwarder;
    private readonly IReadOnlyList<IPAddress> _servers;
    private readonly ILogger _log;
    private readonly Task _accepting;

    /// <param name="sandbox">Whom it serves.</param>
    /// <param name="pump">Answers the datagrams.</param>
    /// <param name="host">Forwards from the host's namespace, for the host's own servers.</param>
    /// <param name="hostServers">The host's servers.</param>
    /// <param name="clock">Times the forwarding.</param>
    /// <param name="log">Where trouble is told.</param>
    public SandboxNameServer(
        SandboxNames sandbox, DatagramPump pump, Forwarder host, IReadOnlyList<IPAddress> hostServers, TimeProvider clock, ILogger log)
    {
        Sandbox = sandbox;
        (_pump, _log) = (pump, log);
        _space = NetworkNamespace.Open(sandbox.NamespacePath);
        var own = (sandbox.Dns.Nameservers ?? []).Select(IPAddress.Parse).ToList();
        _forwarder = own.Count > 0 ? new Forwarder((f, s, p) => _space.Run(() => new Socket(f, s, p)), clock) : host;
        _servers = own.Count > 0 ? own : sandbox.External ? hostServers : [];
        var datagrams = _space.Run(() => Bind(SocketType.Dgram, ProtocolType.Udp));
        _listener = _space.Run(() => Bind(SocketType.Stream, ProtocolType.Tcp));
        _datagrams = new DatagramService(datagrams, _responder, (query, asker) => _ = ForwardAsync(datagrams, query, asker));
        pump.Add(_datagrams);
        _accepting = AcceptAsync(_stopping.Token);
    }

    public SandboxNames Sandbox { get; }

    public void Update(IReadOnlyDictionary<string, NetworkNames> networks, NetworkNames? ingress) =>
        _responder.Replace(new NameScope([.. Sandbox.Networks.Where(n => !n.Ingress).Select(n => networks.GetValueOrDefault(n.Id)).OfType<NetworkNames>()], ingress));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _pump.Remove(_datagrams);
        _datagrams.Socket.Dispose();
        _listener.Dispose();
        await _accepting;
        _space.Dispose();
        _stopping.Dispose();
    }

    private static Socket Bind(SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            if (type == SocketType.Stream)
            {
                // Connections of the server before a restart may still be in TIME_WAIT.
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            }

            socket.Bind(new IPEndPoint(NameRules.Server, NameRules.Port));
            if (type == SocketType.Stream)
            {
                socket.Listen(64);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task ForwardAsync(Socket socket, byte[] query, IPEndPoint asker)
    {
        try
        {
            var answer = await _forwarder.AskAsync(query, _servers, overTcp: false, _stopping.Token);
            await socket.SendToAsync(Cut(query, answer), asker);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The sandbox is gone, and its question with it.
        }
    }

    /// <summary>An answer that the asker cannot take over UDP becomes an empty one that says so; it comes again over TCP.</summary>
    private static ReadOnlyMemory<byte> Cut(byte[] query, byte[] answer)
    {
        Span<char> name = stackalloc char[256];
        if (!DnsQuestion.TryRead(query, name, out var question) || answer.Length <= question.PayloadSize)
        {
            return answer;
        }

        var cut = new byte[question.End];
        DnsAnswer.Empty(query, question.End, DnsNumbers.NoError, cut);
        cut[2] |= 0x02;
        return cut;
    }

    private async Task AcceptAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                var connection = await _listener.AcceptAsync(stopping);
                _ = ConverseAsync(connection, stopping);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            if (!stopping.IsCancellationRequested)
            {
                _log.ListenerBroke(Sandbox.ContainerId, e.Message);
            }
        }
    }

    private async Task ConverseAsync(Socket connection, CancellationToken stopping)
    {
        try
        {
            using var stream = new NetworkStream(connection, ownsSocket: true);
            var length = new byte[2];
            while (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, stopping) == 2)
            {
                var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(query, stopping);
                var answer = await AnswerAsync(query, stopping);
                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)answer.Length);
                await stream.WriteAsync(length, stopping);
                await stream.WriteAsync(answer, stopping);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or EndOfStreamException)
        {
            // The asker has gone, or the sandbox.
        }
    }

    private async Task<ReadOnlyMemory<byte>> AnswerAsync(byte[] query, CancellationToken stopping)
    {
        var buffer = new byte[ushort.MaxValue];
        var count = _responder.Answer(query, buffer, overUdp: false);
        return count switch
        {
            > 0 => buffer.AsMemory(0, count),
            0 => await _forwarder.AskAsync(query, _servers, overTcp: true, stopping),
            _ => throw new IOException("not a query"),
        };
    }
}
