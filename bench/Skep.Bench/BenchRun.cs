using Skep.Bench.Measuring;
using Skep.Bench.Rows;
using Skep.Bench.Swarms;

namespace Skep.Bench;

/// <summary>One run: both swarms up, each benchmark on the one and then at once on the other, and the table.</summary>
internal static class BenchRun
{
    // In the order of the table; those that disturb others come last.
    private static readonly IBenchmark[] s_benchmarks =
    [
        new ScaleBenchmark(), new StartBenchmark(),
    ];

    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        var (keep, alone) = (args.Contains("--keep"), args.Contains("--no-peer"));
        List<string> words = [.. args.Where(word => !word.StartsWith("--", StringComparison.Ordinal))];
        List<IBenchmark> chosen = [.. s_benchmarks.Where(benchmark => words.Count == 0 || words.Remove(benchmark.Name))];
        if (words.Count > 0 || chosen.Count == 0)
        {
            Tell($"there is no row '{words.FirstOrDefault()}'; there are {string.Join(", ", s_benchmarks.Select(benchmark => benchmark.Name))}.");
            return 2;
        }

        var door = Environment.GetEnvironmentVariable("SKEP") ?? "./skep";
        if (!alone && !File.Exists("/usr/sbin/dockerd"))
        {
            Tell("the peer's column is empty: Debian's docker.io is not installed. Its service may stay off; the bench runs it in a lab of its own.");
            alone = true;
        }

        var (ours, peers) = (new List<Figure>(), new List<Figure>());
        Tell("starting the swarms");
        await using var skep = await BenchSwarm.StartAsync(SwarmKind.Skep, door, keep, cancellationToken);
        await using var peer = alone ? null : await BenchSwarm.StartAsync(SwarmKind.Peer, door, keep, cancellationToken);
        foreach (var benchmark in chosen)
        {
            await MeasureAsync(benchmark, skep, ours, cancellationToken);
            if (peer is not null)
            {
                await MeasureAsync(benchmark, peer, peers, cancellationToken);
            }
        }

        await Console.Out.WriteLineAsync(FigureTable.Print(ours, peers));
        return ours.Exists(figure => figure.Bar is { } bar && !bar.IsReachedBy(figure.Sample.Median)) ? 1 : 0;
    }

    private static async Task MeasureAsync(IBenchmark benchmark, BenchSwarm swarm, List<Figure> figures, CancellationToken cancellationToken)
    {
        Tell($"{benchmark.Name} on {swarm.Kind}");
        try
        {
            var measured = await benchmark.RunAsync(swarm, cancellationToken);
            figures.AddRange(measured);
            foreach (var figure in measured)
            {
                Tell(FormattableString.Invariant($"  {figure.Name}: {figure.Sample.Median:0.####} {figure.Unit}"));
            }
        }
        catch (BenchException problem)
        {
            Tell($"  {benchmark.Name} on {swarm.Kind}: {problem.Message}");
        }
    }

    private static void Tell(string sentence) => Console.Error.WriteLine("bench: " + sentence);
}
