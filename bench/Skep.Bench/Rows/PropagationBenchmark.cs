using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>
/// From the start of a task's container on one machine until the published port of each other machine leads to it: the time that a program
/// takes until it listens, and that a new endpoint takes through the managers into the others' balancers. Both clocks are this machine's.
/// </summary>
internal sealed class PropagationBenchmark : IBenchmark
{
    // Two samples each: the 99th percentile is one of 220.
    private const int Runs = 110;
    private const int FirstPort = 18300;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    public string Name => "propagation";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (var run = 0; run < Runs; run++)
        {
            times.AddRange(await MeasureAsync(swarm, FirstPort + run, cancellationToken));
        }

        var sample = Sample.Of(times);
        var last = times.Order().ElementAt((int)Math.Ceiling(times.Count * 0.99) - 1);
        return
        [
            new Figure("container started on one machine → in the balancer of the others", "ms", sample),
            new Figure("container started on one machine → in the balancer of the others, p99", "ms", Sample.Of([last]), Bar.AtMost(100)),
        ];
    }

    // Milliseconds for each other machine.
    private static async Task<IEnumerable<double>> MeasureAsync(BenchSwarm swarm, int port, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        // A task says when its container started; it calls itself running when it listens.
        var reached = Task.WhenAll(swarm.Nodes.Skip(1).Select(node => ReachedAsync(IPAddress.Parse(node.Address), port, patience.Token)));
        var service = await swarm.CreateServiceAsync(
            new ServiceWish("bench-propagation", 1) { Args = ServiceWish.Http, Port = (port, ServiceWish.HttpPort), Constraint = "node.hostname==node1" }, cancellationToken);
        try
        {
            // Nobody asks the manager for anything until then.
            var ends = await reached;
            var task = (await swarm.UntilRunningAsync(service, 1, cancellationToken))[0];
            var started = DateTimeOffset.Parse(task["Status"]!["Timestamp"]!.GetValue<string>(), CultureInfo.InvariantCulture);
            return ends.Select(at => Math.Max(0, (at - started).TotalMilliseconds));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BenchException("the published port of another machine does not lead to the task");
        }
        finally
        {
            await swarm.RemoveServiceAsync(service, CancellationToken.None);
        }
    }

    // Until the port leads to a task it is refused at once. On a thread of its own: what is measured is not to wait for this program's pool.
    private static Task<DateTimeOffset> ReachedAsync(IPAddress address, int port, CancellationToken cancellationToken) => Task.Factory.StartNew(
        () =>
        {
            while (true)
            {
                using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                if (Connect(socket, new IPEndPoint(address, port)) == SocketError.Success)
                {
                    return DateTimeOffset.UtcNow;
                }

                cancellationToken.WaitHandle.WaitOne(s_pause);
                cancellationToken.ThrowIfCancellationRequested();
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    // A thousand exceptions a second would take the processor from what is measured.
    private static SocketError Connect(Socket socket, EndPoint end)
    {
        using var done = new ManualResetEventSlim();
        using var attempt = new SocketAsyncEventArgs { RemoteEndPoint = end };
        attempt.Completed += (_, _) => done.Set();
        if (socket.ConnectAsync(attempt))
        {
            done.Wait();
        }

        return attempt.SocketError;
    }
}
