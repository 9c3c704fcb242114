using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.ClassicTests.Encryption;

/// <summary>A task sends numbered datagrams with a marker to another, which sends each back; every loss is counted.</summary>
internal sealed class MarkedTraffic : IAsyncDisposable
{
    private readonly Socket _client;
    private readonly Socket _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private readonly HashSet<int> _open = [];
    private readonly Lock _gate = new();
    private int _sent;
    private int _back;

    public MarkedTraffic(NetworkNamespace from, NetworkNamespace to, string address, string marker, int port = 9000)
    {
        _server = NamespaceFixture.OpenSocket(to, SocketType.Dgram, ProtocolType.Udp);
        _server.Bind(new IPEndPoint(IPAddress.Any, port));
        _client = NamespaceFixture.OpenSocket(from, SocketType.Dgram, ProtocolType.Udp);
        _client.Connect(new IPEndPoint(IPAddress.Parse(address), port));
        _running = Task.WhenAll(GuardAsync(EchoAsync), GuardAsync(() => SendAsync(marker)), GuardAsync(HearAsync));
    }

    /// <summary>Waits until all are back that are on their way now; one that was lost never is.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        var last = Volatile.Read(ref _sent);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (IsMissing(last) && await tick.WaitForNextTickAsync(cancellationToken))
        {
        }
    }

    public int Back => Volatile.Read(ref _back);

    /// <summary>Waits until this many more have come back.</summary>
    public async Task MoreAsync(int count, CancellationToken cancellationToken)
    {
        var goal = Back + count;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (Back < goal)
        {
            if (!await tick.WaitForNextTickAsync(cancellationToken))
            {
                break;
            }
        }
    }

    /// <summary>Waits until this many more were sent, whatever becomes of them.</summary>
    public async Task SentAsync(int count, CancellationToken cancellationToken)
    {
        var goal = Volatile.Read(ref _sent) + count;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (Volatile.Read(ref _sent) < goal && await tick.WaitForNextTickAsync(cancellationToken))
        {
        }
    }

    /// <summary>Forgets what is missing now.</summary>
    public void Forgive()
    {
        lock (_gate)
        {
            _open.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _client.Dispose();
        _server.Dispose();
        _stop.Dispose();
    }

    private bool IsMissing(int last)
    {
        lock (_gate)
        {
            return _open.Any(number => number <= last);
        }
    }

    private async Task SendAsync(string marker)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(4));
        for (var number = 1; await tick.WaitForNextTickAsync(_stop.Token); number++)
        {
            lock (_gate)
            {
                _open.Add(number);
            }

            try
            {
                await _client.SendAsync(Encoding.ASCII.GetBytes($"{number} {marker}"), _stop.Token);
            }
            catch (SocketException)
            {
                // Refused or without a way; it stays missing.
            }

            Interlocked.Increment(ref _sent);
        }
    }

    private async Task EchoAsync()
    {
        var buffer = new byte[2000];
        while (true)
        {
            var got = await _server.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
            await _server.SendToAsync(buffer.AsMemory(0, got.ReceivedBytes), got.RemoteEndPoint, _stop.Token);
        }
    }

    private async Task HearAsync()
    {
        var buffer = new byte[2000];
        while (true)
        {
            int length;
            try
            {
                length = await _client.ReceiveAsync(buffer, _stop.Token);
            }
            catch (SocketException)
            {
                continue;
            }

            var number = int.Parse(Encoding.ASCII.GetString(buffer, 0, length).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
            lock (_gate)
            {
                _open.Remove(number);
            }

            Interlocked.Increment(ref _back);
        }
    }

    private static async Task GuardAsync(Func<Task> body)
    {
        try
        {
            await body();
        }
        catch (OperationCanceledException)
        {
        }
    }
}
