using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Sysctl;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>
/// Connections that come and go fast take their ports again long before the kernels have forgotten the last ones. By the VIP, with packet rules
/// and with sockets, they are neither refused nor held up, no more than straight to the backends. For a second each; for SKEP_REUSE_SECONDS when that is set.
/// </summary>
[Collection(Alone.Name)]
public sealed class PortReuseTests(ITestOutputHelper output)
{
    private const int Port = 3001;
    private const int Clients = 4;
    private const int Most = 2500;
    private static readonly TimeSpan s_slice = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_line = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task Connections_by_the_vip_that_reuse_ports_are_neither_refused_nor_held_up(AddressFamily family)
    {
        var seconds = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("SKEP_REUSE_SECONDS") ?? "1", CultureInfo.InvariantCulture));
        using var groups = new CgroupFixture();
        var group = groups.Create("reuse");
        await using var nodes = await FamilyNodes.StartAsync(family, group, TimeSpan.FromSeconds(60) + (6 * seconds));
        using var first = Listen(nodes.Web1, nodes.Limit);
        using var second = Listen(nodes.Web2, nodes.Limit);
        var turn = 0;
        Way[] ways =
        [
            new("straight", 40000, Open, () => At(family, 3 + (Interlocked.Increment(ref turn) % 2))),
            new("rules", 41000, Open, () => At(family, 2)),
            new("sockets", 42000, () => CgroupFixture.Run(group, Open), () => At(family, 2)),
        ];

        // In turns of half a second, so that all meet the same machine.
        while (ways.Any(w => w.Ran < seconds))
        {
            foreach (var way in ways)
            {
                // Each its own thousand ports. A port that a client uses to a backend both straight and by the VIP brings time stamps of two
                // clocks (net.ipv4.tcp_timestamps), and the backend's kernel drops what seems to come from the past (RFC 7323, 5.3).
                SysctlFile.Set(nodes.Caller, "net.ipv4.ip_local_port_range", $"{way.FirstPort} {way.FirstPort + 999}");
                await Task.WhenAll(way.Begin(Clients).Select(_ => ConnectAsync(way, nodes.Limit)));
                way.Ended();
            }

            if (ways[^1].Line.Elapsed >= s_line || ways[^1].Ran >= seconds)
            {
                output.WriteLine(string.Join("; ", ways.Select(w => w.Told(ways[0]))));
                Array.ForEach(ways, w => w.NextLine());
            }
        }

        ConcurrentQueue<Socket> Open() => new(nodes.Caller.Run(() => Enumerable.Range(0, Most).Select(_ => new Socket(family, SocketType.Stream, ProtocolType.Tcp)).ToList()));

        foreach (var way in ways)
        {
            Assert.True(way.Total > 100, $"{way.Name}: {way.Total} connections only");
            Assert.True(way.Resent == 0, $"{way.Name}: something was lost and sent again in {way.Resent} of {way.Total} connections");
        }
    }

    private static IPEndPoint At(AddressFamily family, int host) => new(IPAddress.Parse(FamilyNodes.AddressOn(FamilyNodes.Both, family, host)), Port);

    private static async Task ConnectAsync(Way way, CancellationToken limit)
    {
        while (way.Slice.Elapsed < s_slice && way.Sockets.TryDequeue(out var socket))
        {
            using var closing = socket;
            await socket.ConnectAsync(way.To(), limit);
            Assert.Equal(1, await socket.ReceiveAsync(new byte[10], limit));
            Assert.Equal(0, await socket.ReceiveAsync(new byte[10], limit));
            way.Count(TcpInfo.Resent(socket) > 0);
        }
    }

    // The server ends each connection, so that the old ones wait at its end and the client's ports are free at once.
    private static Socket Listen(NetworkNamespace ns, CancellationToken limit)
    {
        var listener = NamespaceFixture.OpenSocket(ns, SocketType.Stream, ProtocolType.Tcp, AddressFamily.InterNetworkV6);
        listener.DualMode = true;
        listener.Bind(new IPEndPoint(IPAddress.IPv6Any, Port));
        listener.Listen();
        _ = CloseAsync(listener, limit);
        return listener;
    }

    private static async Task CloseAsync(Socket listener, CancellationToken limit)
    {
        try
        {
            while (true)
            {
                using var socket = await listener.AcceptAsync(limit);
                await socket.SendAsync(new byte[1], limit);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private sealed class Way(string name, int firstPort, Func<ConcurrentQueue<Socket>> open, Func<IPEndPoint> to)
    {
        private int _line;
        private int _total;
        private int _resent;
        private TimeSpan _lineRan;

        public string Name => name;
        public int FirstPort => firstPort;

        /// <summary>Made beforehand: what it costs to make one of another namespace and group is not measured.</summary>
        public ConcurrentQueue<Socket> Sockets { get; private set; } = new();
        public Func<IPEndPoint> To => to;
        public Stopwatch Slice { get; } = new();
        public Stopwatch Line { get; } = Stopwatch.StartNew();
        public TimeSpan Ran { get; private set; }
        public int Total => _total;
        public int Resent => _resent;

        private double Rate => _line / _lineRan.TotalSeconds;

        public IEnumerable<int> Begin(int clients)
        {
            Sockets = open();
            Slice.Restart();
            return Enumerable.Range(0, clients);
        }

        public void Count(bool resent)
        {
            Interlocked.Increment(ref _line);
            Interlocked.Increment(ref _total);
            Interlocked.Add(ref _resent, resent ? 1 : 0);
        }

        public void Ended()
        {
            (Ran, _lineRan) = (Ran + Slice.Elapsed, _lineRan + Slice.Elapsed);
            foreach (var unused in Sockets)
            {
                unused.Dispose();
            }
        }

        public string Told(Way straight) => string.Create(
            CultureInfo.InvariantCulture,
            $"{name} {Rate:0}/s{(ReferenceEquals(this, straight) ? "" : $" ({Rate / straight.Rate:0.00})")}{(_resent > 0 ? $", {_resent} sent again so far" : "")}");

        public void NextLine()
        {
            (_line, _lineRan) = (0, TimeSpan.Zero);
            Line.Restart();
        }
    }
}
