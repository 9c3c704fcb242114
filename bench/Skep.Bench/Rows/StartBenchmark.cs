using System.Diagnostics;
using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>From the request that creates a service of one replica until the API shows its task running.</summary>
internal sealed class StartBenchmark : IBenchmark
{
    private const int Runs = 7;

    public string Name => "start";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        var network = await swarm.CreateNetworkAsync("bench-start", cancellationToken);
        var plain = new ServiceWish("bench-start", 1);

        // The first task of a network on a machine makes the network there too; that is a cost of its own.
        await MeasureAsync(swarm, plain with { Network = network, Replicas = 3 }, cancellationToken);
        var none = await Sample.OfRunsAsync(Runs, () => MeasureAsync(swarm, plain, cancellationToken));
        var overlay = await Sample.OfRunsAsync(Runs, () => MeasureAsync(swarm, plain with { Network = network }, cancellationToken));
        // A task that publishes a port is running when it listens there.
        var listening = plain with { Network = network, Args = ServiceWish.Http, Port = (18080, ServiceWish.HttpPort) };
        var published = await Sample.OfRunsAsync(Runs, () => MeasureAsync(swarm, listening, cancellationToken));
        await swarm.RemoveNetworkAsync(network, cancellationToken);
        return
        [
            new Figure("one replica, create → running, without a network", "s", none, Bar.AtMost(0.25)),
            new Figure("one replica, create → running, on an overlay with VIP", "s", overlay),
            new Figure("one replica, create → running, overlay, VIP and a published port", "s", published),
        ];
    }

    private static async Task<double> MeasureAsync(BenchSwarm swarm, ServiceWish wish, CancellationToken cancellationToken)
    {
        var begun = Stopwatch.GetTimestamp();
        var service = await swarm.CreateServiceAsync(wish, cancellationToken);
        await swarm.UntilRunningAsync(service, wish.Replicas, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        await swarm.RemoveServiceAsync(service, cancellationToken);
        return seconds;
    }
}
