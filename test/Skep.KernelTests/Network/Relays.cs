using Microsoft.Extensions.Logging.Abstractions;
using Skep.Daemon.Supervision;
using Skep.Network.Relays;

namespace Skep.KernelTests.Network;

/// <summary>The relays of two nodes: processes of their own, supervised as the daemon does it, each with its node's network.</summary>
internal sealed class Relays(MeshNodes nodes) : IAsyncDisposable
{
    private readonly List<(RelayProcess Process, CancellationTokenSource Stop, Task Running)> _running = [];

    public RelayProcess First => _running[0].Process;
    public RelayProcess Second => _running[1].Process;

    public static Relays Start(MeshNodes nodes)
    {
        var relays = new Relays(nodes);
        relays.Supervise();
        return relays;
    }

    /// <summary>As a daemon does when it starts.</summary>
    public void Supervise()
    {
        foreach (var node in new[] { nodes.First, nodes.Second })
        {
            var options = new RelayProcessOptions
            {
                RunFolder = Path.Combine(node.Folder, "relay"),
                Namespace = node.PathOf("ingress_sbox"),
                HostNamespace = node.Host.Origin,
                Program = [Path.Combine(AppContext.BaseDirectory, "skep")],
            };
            var process = new RelayProcess(options, node.Network.RelayedPorts, node.Network.DescribeRelay, TimeProvider.System, NullLoggerFactory.Instance);
            var stop = new CancellationTokenSource();
            _running.Add((process, stop, process.RunAsync(stop.Token)));
        }
    }

    /// <summary>As a daemon does when it stops: the processes go on.</summary>
    public async Task LeaveAloneAsync()
    {
        foreach (var (_, stop, running) in _running)
        {
            await stop.CancelAsync();
            await running.ContinueWith(_ => { }, TaskScheduler.Default);
            stop.Dispose();
        }

        _running.Clear();
    }

    /// <summary>Waits until a node's relay is as it should be.</summary>
    public async Task UntilAsync(TestNode node, Func<RelayStatus?, bool> reached)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!reached(node.Network.DescribeRelay()))
        {
            await again.WaitForNextTickAsync(nodes.Limit);
        }
    }

    public async ValueTask DisposeAsync()
    {
        var processes = _running.Select(r => r.Process).ToList();
        await LeaveAloneAsync();
        foreach (var process in processes)
        {
            await process.EndAsync(CancellationToken.None);
        }
    }
}
