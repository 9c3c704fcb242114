using Skep.Bench.Measuring;
using Skep.Bench.Rows;
using Skep.Bench.Swarms;

namespace Skep.Bench;

/// <summary>One run: both swarms up, each benchmark on the one and then at once on the other, and the table.</summary>
internal static class BenchRun
{
    // With another name than 'bench' two people measure on one machine, each with labs of their own.
    private const string LabOption = "--lab=";

    // In the order of the table; those that disturb others come last.
    private static readonly IBenchmark[] s_benchmarks =
    [
        new ScaleBenchmark(), new StartBenchmark(), new CreateBenchmark(), new MemoryBenchmark(), new AnswerBenchmark(), new PropagationBenchmark(), new VipBenchmark(), new MeshBenchmark(), new BalanceBenchmark(),
        new UpBenchmark(),
    ];

    // Measured before any lab is up.
    private static readonly ILocalBenchmark[] s_local = [new NameServerBenchmark(), new EndpointChangeBenchmark(), new ResyncBenchmark()];

    // Measured on both swarms in turns, after the others.
    private static readonly IPairedBenchmark[] s_paired = [new NamesBenchmark()];

    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        List<string> words = [.. args.Where(word => !word.StartsWith("--", StringComparison.Ordinal))];
        var all = words.Count == 0;
        List<IBenchmark> chosen = [.. s_benchmarks.Where(benchmark => all || words.Remove(benchmark.Name))];
        List<ILocalBenchmark> local = [.. s_local.Where(benchmark => all || words.Remove(benchmark.Name))];
        List<IPairedBenchmark> paired = [.. s_paired.Where(benchmark => all || words.Remove(benchmark.Name))];
        if (words.Count > 0)
        {
            Tell($"there is no row '{words[0]}'; there are {string.Join(", ", [.. s_benchmarks.Select(benchmark => benchmark.Name), .. s_local.Select(benchmark => benchmark.Name), .. s_paired.Select(benchmark => benchmark.Name)])}.");
            return 2;
        }

        var (ours, peers) = (new List<Figure>(), new List<Figure>());
        foreach (var benchmark in local)
        {
            await MeasureAsync(benchmark.Name, () => benchmark.RunAsync(cancellationToken), ours);
        }

        if (chosen.Count + paired.Count > 0)
        {
            await MeasureSwarmsAsync(chosen, paired, args, ours, peers, cancellationToken);
        }

        await Console.Out.WriteLineAsync(FigureTable.Print(ours, peers));
        return ours.Exists(figure => figure.Bar is { } bar && !bar.IsReachedBy(figure.Sample.Median)) ? 1 : 0;
    }

    private static async Task MeasureSwarmsAsync(
        IReadOnlyList<IBenchmark> chosen, IReadOnlyList<IPairedBenchmark> paired, string[] args, List<Figure> ours, List<Figure> peers,
        CancellationToken cancellationToken)
    {
        var (keep, alone) = (args.Contains("--keep"), args.Contains("--no-peer"));
        var lab = args.FirstOrDefault(word => word.StartsWith(LabOption, StringComparison.Ordinal))?[LabOption.Length..] ?? "bench";
        var door = Environment.GetEnvironmentVariable("SKEP") ?? "./skep";
        if (!alone && !File.Exists("/usr/sbin/dockerd"))
        {
            Tell("the peer's column is empty: Debian's docker.io is not installed. Its service may stay off; the bench runs it in a lab of its own.");
            alone = true;
        }

        Tell("starting the swarms");
        await using var skep = await BenchSwarm.StartAsync(SwarmKind.Skep, lab, door, keep, cancellationToken);
        await using var peer = alone ? null : await BenchSwarm.StartAsync(SwarmKind.Peer, lab + "-peer", door, keep, cancellationToken);
        foreach (var benchmark in chosen)
        {
            await MeasureAsync($"{benchmark.Name} on {skep.Kind}", () => benchmark.RunAsync(skep, cancellationToken), ours);
            if (peer is not null)
            {
                await MeasureAsync($"{benchmark.Name} on {peer.Kind}", () => benchmark.RunAsync(peer, cancellationToken), peers);
            }
        }

        foreach (var benchmark in paired)
        {
            await MeasureAsync(
                $"{benchmark.Name} on both in turns",
                async () =>
                {
                    var figures = await benchmark.RunAsync(skep, peer, cancellationToken);
                    peers.AddRange(figures.Peer);
                    return figures.Skep;
                },
                ours);
        }
    }

    private static async Task MeasureAsync(string what, Func<Task<IReadOnlyList<Figure>>> measure, List<Figure> figures)
    {
        Tell(what);
        try
        {
            var measured = await measure();
            figures.AddRange(measured);
            foreach (var figure in measured)
            {
                Tell(FormattableString.Invariant($"  {figure.Name}: {figure.Sample.Median:0.####} {figure.Unit}"));
            }
        }
        catch (BenchException problem)
        {
            Tell($"  {what}: {problem.Message}");
        }
    }

    private static void Tell(string sentence) => Console.Error.WriteLine("bench: " + sentence);
}
