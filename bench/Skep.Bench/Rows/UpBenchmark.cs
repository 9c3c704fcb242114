using System.Diagnostics;
using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary><c>./skep up</c> with everything installed and built: three machines, one swarm, the demo answering on each.</summary>
internal sealed class UpBenchmark : IBenchmark
{
    private const int Runs = 3;

    public string Name => "up";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        if (swarm.Kind == SwarmKind.Peer)
        {
            return [];
        }

        // What a run that was cut off may have left.
        await Shell.RunAsync(swarm.Door, ["lab", "down", "--name", "bench-up"], cancellationToken);
        var times = await Sample.OfRunsAsync(Runs, async () =>
        {
            var begun = Stopwatch.GetTimestamp();
            await Shell.RunAsync(swarm.Door, ["up", "--name", "bench-up"], cancellationToken);
            var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            await Shell.RunAsync(swarm.Door, ["lab", "down", "--name", "bench-up"], cancellationToken);
            return seconds;
        });
        return [new Figure("./skep up, everything installed and built", "s", times, Bar.AtMost(10))];
    }
}
