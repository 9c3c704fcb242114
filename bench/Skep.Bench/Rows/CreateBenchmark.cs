using System.Diagnostics;
using System.Globalization;
using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>Services of no replicas, created over the API by one connection that is kept alive, and by eight.</summary>
internal sealed class CreateBenchmark : IBenchmark
{
    private const int Runs = 3;
    private const int Count = 600;

    private int _run;

    public string Name => "create";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        await MeasureAsync(swarm, 1, cancellationToken);
        return
        [
            new Figure("service create over the API, one connection", "/s",
                await Sample.OfRunsAsync(Runs, () => MeasureAsync(swarm, 1, cancellationToken)), Bar.AtLeast(700)),
            new Figure("service create over the API, eight connections", "/s",
                await Sample.OfRunsAsync(Runs, () => MeasureAsync(swarm, 8, cancellationToken))),
        ];
    }

    private async Task<double> MeasureAsync(BenchSwarm swarm, int connections, CancellationToken cancellationToken)
    {
        using var api = new EngineSocket(swarm.Api.Path, connections);
        var run = _run++;
        string[] bodies = [.. Enumerable.Range(0, Count).Select(number =>
            new ServiceWish(string.Create(CultureInfo.InvariantCulture, $"bench-create-{run}-{number}"), 0).ToSpec().ToJsonString())];
        var ids = new string[Count];
        await api.GetAsync("/version", cancellationToken);
        var next = -1;
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => WorkAsync()));
        var rate = Count / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        await Parallel.ForEachAsync(
            ids, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
            async (answer, token) => await api.DeleteAsync("/services/" + System.Text.Json.Nodes.JsonNode.Parse(answer)!["ID"], token));
        return rate;

        async Task WorkAsync()
        {
            while (Interlocked.Increment(ref next) is var index && index < Count)
            {
                ids[index] = await api.PostTextAsync("/services/create", bodies[index], cancellationToken);
            }
        }
    }
}
