using System.Diagnostics;
using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>One service from 2 to 40 tasks on three machines, and from 40 to none, as the API shows it.</summary>
internal sealed class ScaleBenchmark : IBenchmark
{
    private const int Runs = 3;

    public string Name => "scale";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        var figures = new List<Figure>();
        var network = await swarm.CreateNetworkAsync("bench-scale", cancellationToken);
        figures.AddRange(await MeasureAsync(swarm, network, "on an overlay with VIP", Bar.AtMost(3.0), cancellationToken));
        await swarm.RemoveNetworkAsync(network, cancellationToken);
        figures.AddRange(await MeasureAsync(swarm, null, "without a network", null, cancellationToken));
        return figures;
    }

    private static async Task<Figure[]> MeasureAsync(BenchSwarm swarm, string? network, string where, Bar? bar, CancellationToken cancellationToken)
    {
        var (up, down) = (new List<double>(), new List<double>());
        for (var run = 0; run < Runs; run++)
        {
            var service = await swarm.CreateServiceAsync(new ServiceWish("bench-scale", 2) { Network = network }, cancellationToken);
            await swarm.UntilRunningAsync(service, 2, cancellationToken);
            var begun = Stopwatch.GetTimestamp();
            await swarm.ScaleAsync(service, 40, cancellationToken);
            await swarm.UntilRunningAsync(service, 40, cancellationToken);
            up.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);

            begun = Stopwatch.GetTimestamp();
            await swarm.ScaleAsync(service, 0, cancellationToken);
            await swarm.UntilNoContainersAsync(cancellationToken);
            down.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);
            await swarm.RemoveServiceAsync(service, cancellationToken);
        }

        return
        [
            new Figure($"scale 2 → 40 tasks, {where}", "s", Sample.Of(up), bar),
            new Figure($"scale 40 → 0, no container left, {where}", "s", Sample.Of(down)),
        ];
    }
}
