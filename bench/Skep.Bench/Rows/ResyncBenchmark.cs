using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Skep.Bench.DataPlane;
using Skep.Bench.Measuring;
using Skep.Kernel.Namespaces;

namespace Skep.Bench.Rows;

/// <summary>
/// A daemon that starts brings the kernel to 10 000 services of two backends: over a kernel that holds nothing, and over one that holds
/// everything already, where it must change nothing and a flow through a VIP runs on.
/// </summary>
internal sealed class ResyncBenchmark : ILocalBenchmark
{
    private const int Services = 10_000;
    private const int Runs = 5;

    public string Name => "resync";

    public async Task<IReadOnlyList<Figure>> RunAsync(CancellationToken cancellationToken)
    {
        var (empty, full, audit) = (new List<double>(), new List<double>(), new List<double>());
        for (var run = 0; run < Runs; run++)
        {
            await using var machine = new BenchMachine();
            machine.Start();
            await machine.ApplyAsync(BenchMachine.Plan(1), null, cancellationToken);
            using var caller = await machine.AttachAsync(0, cancellationToken);
            using var server = await machine.AttachAsync(1, cancellationToken);
            using var listener = Listen(server);
            using var other = await machine.AttachAsync(2, cancellationToken);
            using var second = Listen(other);

            // The sandboxes are there; what follows is the plan alone.
            var plan = BenchMachine.Plan(Services) with { Revision = 2 };
            Forget();
            empty.Add(await machine.ApplyAsync(plan, null, cancellationToken) / 1000);
            var clock = Stopwatch.StartNew();
            await machine.Network.AuditAsync(cancellationToken);
            audit.Add(clock.Elapsed.TotalSeconds);

            using var flow = BenchMachine.OpenSocket(caller);
            await flow.ConnectAsync(new IPEndPoint(BenchMachine.Vip(0), 3000), cancellationToken);
            await machine.StopAsync();
            Forget();
            clock.Restart();
            machine.Start();
            await machine.ApplyAsync(plan with { Revision = 3 }, null, cancellationToken);
            full.Add(clock.Elapsed.TotalSeconds);
            await EchoAsync(flow, cancellationToken);
        }

        return
        [
            new Figure("resync of 10 000 services × 2 over a kernel that holds none", "s", Sample.Of(empty), Bar.AtMost(1.5)),
            new Figure("resync of 10 000 services × 2 over a kernel that holds them, a flow runs on", "s", Sample.Of(full), Bar.AtMost(1.5)),
            new Figure("audit of 10 000 services × 2 by the daemon that put them there", "s", Sample.Of(audit)),
        ];
    }

    // A new daemon's heap has nothing of another's.
    private static void Forget() => GC.Collect();

    private static Socket Listen(NetworkNamespace ns)
    {
        var listener = BenchMachine.OpenSocket(ns);
        listener.Bind(new IPEndPoint(IPAddress.Any, 3000));
        listener.Listen();
        _ = EchoAsync(listener);
        return listener;
    }

    private static async Task EchoAsync(Socket listener)
    {
        try
        {
            using var socket = await listener.AcceptAsync();
            using var stream = new NetworkStream(socket);
            await stream.CopyToAsync(stream);
        }
        catch (Exception end) when (end is SocketException or IOException or ObjectDisposedException)
        {
        }
    }

    private static async Task EchoAsync(Socket flow, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(3));
        var answer = new byte[4];
        await flow.SendAsync("ping"u8.ToArray(), SocketFlags.None, patience.Token);
        if (await flow.ReceiveAsync(answer, SocketFlags.None, patience.Token) == 0)
        {
            throw new BenchException("the flow through the VIP ended with the resync");
        }
    }
}
