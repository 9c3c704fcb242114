using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Model.Errors;

namespace Skep.Network.Dns;

/// <summary>The name server of one sandbox: its two sockets inside, what it may answer, and whom it asks otherwise.</summary>
internal sealed class SandboxNameServer : IAsyncDisposable
{
    private const int MostServers = 3;

    // The kernel gives twice as much, as far as net.core.rmem_max allows: room for the burst of a pool that starts up.
    private const int SocketBuffer = 1 << 20;

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stopped;
    private readonly NetworkNamespace _space;
    private readonly DatagramPump _pump;
    private readonly DatagramService _datagrams;
    private readonly ConversationHost _conversations;
    private readonly NameResponder _responder;
    private readonly Forwarder _forwarder;
    private readonly IReadOnlyList<IPAddress> _servers;
    private readonly ILogger _log;

    /// <param name="sandbox">Whom it serves.</param>
    /// <param name="pump">Answers the datagrams.</param>
    /// <param name="host">The host's resolv.conf.</param>
    /// <param name="clock">Times the forwarding.</param>
    /// <param name="log">Where trouble is told.</param>
    public SandboxNameServer(SandboxNames sandbox, DatagramPump pump, ResolvConf host, TimeProvider clock, ILogger log)
    {
        Sandbox = sandbox;
        (_pump, _log, _stopped) = (pump, log, _stopping.Token);
        var own = (sandbox.Dns.Nameservers ?? []).Select(Server).Where(s => !s.Equals(NamePlace.Address)).Take(MostServers).ToList();
        _servers = own.Count > 0 ? own : sandbox.External ? host.Servers : [];
        _responder = new NameResponder(ResolvConf.HasDots(sandbox.Dns, host));
        _space = NetworkNamespace.Open(sandbox.NamespacePath);
        Socket? datagrams = null;
        try
        {
            // The host's servers are asked from the host's network, the user's from the container's.
            _forwarder = new Forwarder(own.Count > 0 ? (f, s, p) => _space.Run(() => new Socket(f, s, p)) : (f, s, p) => new Socket(f, s, p), clock);
            datagrams = _space.Run(() => Bind(SocketType.Dgram, ProtocolType.Udp));
            var listener = _space.Run(() => Bind(SocketType.Stream, ProtocolType.Tcp));
            _conversations = new ConversationHost(listener, _responder, (query, token) => _forwarder.AskAsync(query, _servers, overTcp: true, token), clock, log);
        }
        catch
        {
            datagrams?.Dispose();
            _space.Dispose();
            _stopping.Dispose();
            throw;
        }

        // Not on the pump's thread: making a socket inside the container takes a while.
        _datagrams = new DatagramService(datagrams, _responder, (query, asker) => _ = Task.Run(() => ForwardAsync(query, asker), _stopped));
    }

    public SandboxNames Sandbox { get; }

    /// <summary>It is just what is wished, so that no query needs to be lost by a change of servers.</summary>
    public bool Serves(SandboxNames wish, ulong inode) =>
        inode == _space.Inode && wish.External == Sandbox.External
        && wish.Networks.Select(n => n.Id).SequenceEqual(Sandbox.Networks.Select(n => n.Id))
        && (wish.Dns.Nameservers ?? []).SequenceEqual(Sandbox.Dns.Nameservers ?? [])
        && (wish.Dns.Options ?? []).SequenceEqual(Sandbox.Dns.Options ?? []);

    public void Start()
    {
        _pump.Add(_datagrams);
        _conversations.Start();
    }

    public void Update(IReadOnlyDictionary<string, NetworkNames> networks, NetworkNames? ingress) =>
        _responder.Replace(new NameScope([.. Sandbox.Networks.Where(n => !n.Ingress).Select(n => networks.GetValueOrDefault(n.Id)).OfType<NetworkNames>()], ingress));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _pump.Remove(_datagrams);
        _datagrams.Socket.Dispose();
        await _conversations.DisposeAsync();
        _forwarder.Dispose();
        _space.Dispose();
        _stopping.Dispose();
    }

    private static IPAddress Server(string text) => IPAddress.TryParse(text, out var address)
        ? address
        : throw new ClusterException(ErrorKind.InvalidArgument, $"{text} is not the address of a name server");

    private static Socket Bind(SocketType type, ProtocolType protocol)
    {
        try
        {
            return BindOnce(type, protocol);
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            // The socket of the server before may still be in a child that is being started.
            ForkedCopies.WaitOut();
            return BindOnce(type, protocol);
        }
    }

    private static Socket BindOnce(SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            if (type == SocketType.Stream)
            {
                // Connections of the server before a restart may still be in TIME_WAIT.
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            }
            else
            {
                socket.ReceiveBufferSize = SocketBuffer;
            }

            socket.Bind(new IPEndPoint(NamePlace.Address, NamePlace.Port));
            if (type == SocketType.Stream)
            {
                socket.Listen(512);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task ForwardAsync(byte[] query, IPEndPoint asker)
    {
        try
        {
            var answer = await _forwarder.AskAsync(query, _servers, overTcp: false, _stopped);
            await _datagrams.Socket.SendToAsync(Cut(query, answer), asker, _stopped);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The sandbox is gone, and its question with it.
        }
        catch (Exception e)
        {
            _log.QueryBroke(e);
        }
    }

    /// <summary>An answer that the asker cannot take over UDP becomes an empty one that says so; it comes again over TCP.</summary>
    private static ReadOnlyMemory<byte> Cut(byte[] query, byte[] answer)
    {
        Span<char> name = stackalloc char[DnsQuestion.LongestName];
        if (!DnsQuestion.TryRead(query, name, out var question) || answer.Length <= question.PayloadSize)
        {
            return answer;
        }

        var cut = new byte[question.End];
        DnsAnswer.Empty(query, question.End, DnsNumbers.NoError, cut);
        cut[2] |= DnsAnswer.Truncated;
        return cut;
    }
}
