using System.Diagnostics;
using System.Globalization;
using Skep.Bench.Measuring;
using Skep.Bench.Names;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>
/// Names per second that a task gets from 127.0.0.11, where both swarms answer. The same containers in both: a service of eight tasks on an overlay
/// network and a task that asks for its virtual address and for its tasks, from that task's network namespace with the same
/// questions and as many outstanding. Two clients ask: one of ours that spends little on a name, and dnsperf, which spends more than our server and so
/// is the limit itself. Runs of a second back and forth (Skep, Docker, Docker, Skep), so that what else the machine does falls on both.
/// </summary>
internal sealed class NamesBenchmark : IPairedBenchmark
{
    private const int Rounds = 7;
    private const int Seconds = 1;
    private const int Tasks = 8;
    private const string Service = "bench-names";
    private const string AskerService = "bench-names-asker";

    public string Name => "names";

    public async Task<PairedFigures> RunAsync(BenchSwarm skep, BenchSwarm? peer, CancellationToken cancellationToken)
    {
        if (Shell.Find("dnsperf") is null)
        {
            throw new BenchException("dnsperf is missing; it is in Debian's package dnsperf.");
        }

        var folder = Directory.CreateTempSubdirectory("skep-bench-");
        List<BenchSwarm> swarms = [skep, .. peer is null ? (BenchSwarm[])[] : [peer]];
        try
        {
            List<Asker> askers = [];
            foreach (var swarm in swarms)
            {
                askers.Add(await SetUpAsync(swarm, cancellationToken));
            }

            var (ours, peers) = (new List<Figure>(), new List<Figure>());
            foreach (var (name, answers) in new[] { (Service, 1), ("tasks." + Service, Tasks) })
            {
                var queries = Path.Combine(folder.FullName, name);
                await File.WriteAllTextAsync(queries, $"{name} A\n", cancellationToken);
                foreach (var asker in askers)
                {
                    await Services.UntilAsync(
                        async () => (await NameQuestion.CountAsync(asker.Task, name, cancellationToken) is var seen && seen == answers, $"{name} has {seen} answers instead of {answers}."), cancellationToken);
                }

                var figures = await MeasureAsync(
                    [.. askers.Select(asker => asker.Asking(queries, name, answers))], answers == 1 ? "VIP, 1 answer" : $"tasks., {answers} answers", cancellationToken);
                ours.AddRange(figures[0]);
                peers.AddRange(figures.Skip(1).SelectMany(rows => rows));
            }

            return new PairedFigures(ours, peers);
        }
        finally
        {
            folder.Delete(recursive: true);
            foreach (var swarm in swarms)
            {
                await ClearAsync(swarm, CancellationToken.None);
            }
        }
    }

    /// <summary>Rows for each asker, ours first, with the ratio among ours where there are two.</summary>
    private static async Task<IReadOnlyList<List<Figure>>> MeasureAsync(IReadOnlyList<Asking> askers, string what, CancellationToken cancellationToken)
    {
        var full = await InTurnsAsync(askers, asking => asking.FloodAsync(cancellationToken), what);
        var usual = await InTurnsAsync(askers, asking => asking.RunAsync(null, cancellationToken), what);

        // The same questions per second for both, at which neither queues: half of what the slower one can.
        var rate = (int)(usual.Min(reports => Of(reports, report => report.Rate).Median) / 2);
        var half = await InTurnsAsync(askers, asking => asking.RunAsync(rate, cancellationToken), what);
        var of = askers.Count == 1 ? "" : " of the slower";
        var figures = askers.Select((_, i) => new List<Figure>
        {
            new($"names, {what}, 100 outstanding", "/s", Of(full[i], report => report.Rate)),
            new($"names, {what}, the daemon's processor time for each", "µs", Of(full[i], report => report.Server)),
            new($"names, {what}, the asker's processor time for each", "µs", Of(full[i], report => report.Client)),
            new($"names, {what}, lost at full load", "%", Of(full[i], report => report.Lost * 100)),
            new($"names, {what}, p99 with 100 outstanding", "ms", Of(full[i], report => report.P99 * 1000)),
            new($"names, {what}, asked by dnsperf", "/s", Of(usual[i], report => report.Rate)),
            new($"names, {what}, dnsperf's processor time for each", "µs", Of(usual[i], report => report.Client)),
            new($"names, {what}, asked by dnsperf, p99 at half the rate{of}", "ms", Of(half[i], report => report.P99 * 1000)),
        }).ToList();
        if (askers.Count == 2)
        {
            figures[0].Add(new Figure($"names, {what}, Skep ÷ Docker Swarm, round by round", "×", Ratios(full, run => run.Rate), Bar.AtLeast(3)));
            figures[0].Add(new Figure($"names, {what}, Skep ÷ Docker Swarm, by processor time of daemon and asker", "×", Ratios(full, run => 1 / (run.Server + run.Client))));
            figures[0].Add(new Figure($"names, {what}, asked by dnsperf, Skep ÷ Docker Swarm, round by round", "×", Ratios(usual, run => run.Rate)));
        }

        return figures;
    }

    private static Sample Of(IEnumerable<NamesRun> runs, Func<NamesRun, double> what) => Sample.Of([.. runs.Select(what)]);

    /// <summary>A ratio for each round: the means of its two runs.</summary>
    private static Sample Ratios(IReadOnlyList<List<NamesRun>> runs, Func<NamesRun, double> what) =>
        Sample.Of([.. runs[0].Chunk(2).Zip(runs[1].Chunk(2), (skep, peer) => skep.Sum(what) / peer.Sum(what))]);

    private static async Task<IReadOnlyList<List<NamesRun>>> InTurnsAsync(IReadOnlyList<Asking> askers, Func<Asking, Task<NamesRun>> run, string what)
    {
        var reports = askers.Select(_ => new List<NamesRun>()).ToList();
        for (var round = 0; round < Rounds; round++)
        {
            var turn = Enumerable.Range(0, askers.Count).ToList();
            foreach (var i in turn.Concat(Enumerable.Reverse(turn)))
            {
                var report = await run(askers[i]);
                reports[i].Add(report.Failed == 0 ? report : throw new BenchException($"{what}: {report.Failed:P2} of the answers are wrong"));
            }
        }

        return reports;
    }

    private static async Task<Asker> SetUpAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        var network = await swarm.CreateNetworkAsync(Service, cancellationToken);
        var service = await swarm.CreateServiceAsync(new ServiceWish(Service, Tasks) { Network = network }, cancellationToken);
        var asker = await swarm.CreateServiceAsync(new ServiceWish(AskerService, 1) { Network = network, Constraint = "node.hostname==node1" }, cancellationToken);
        await swarm.UntilRunningAsync(service, Tasks, cancellationToken);
        return new Asker(BenchTask.ProcessOf((await swarm.UntilRunningAsync(asker, 1, cancellationToken))[0]), swarm.Nodes[0].Daemon());
    }

    private static async Task ClearAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        foreach (var service in new[] { Service, AskerService })
        {
            try
            {
                await swarm.Api.DeleteAsync("/services/" + service, cancellationToken);
            }
            catch (BenchException)
            {
                // What was never made needs no clearing.
            }
        }

        await swarm.UntilNoContainersAsync(cancellationToken);
        await swarm.RemoveNetworkAsync(Service, cancellationToken);
    }

    /// <param name="Task">A process of the task that asks.</param>
    /// <param name="Daemon">The process that answers it.</param>
    private sealed record Asker(int Task, int Daemon)
    {
        public Asking Asking(string queries, string name, int answers)
        {
            var space = string.Create(CultureInfo.InvariantCulture, $"/proc/{Task}/ns/net");
            return new Asking(new DnsPerf(space, queries, Seconds), new NameFlood(space, name, answers, Seconds), Daemon);
        }
    }

    private sealed record Asking(DnsPerf Usual, NameFlood Flood, int Daemon)
    {
        public Task<NamesRun> RunAsync(int? rate, CancellationToken cancellationToken) => WatchAsync(() => Usual.RunAsync(rate, cancellationToken));

        public Task<NamesRun> FloodAsync(CancellationToken cancellationToken) => WatchAsync(() => Flood.RunAsync(cancellationToken));

        private async Task<NamesRun> WatchAsync(Func<Task<NamesReport>> run)
        {
            using var daemon = Process.GetProcessById(Daemon);
            var before = daemon.TotalProcessorTime;
            var report = await run();
            daemon.Refresh();
            return new NamesRun(
                report.Rate, report.Lost, report.Failed, report.P99, (daemon.TotalProcessorTime - before).TotalMicroseconds / Math.Max(1, report.Answers), report.Cost);
        }
    }

    /// <param name="Server">Microseconds of the daemon's processor time for each name; unlike the rate it hardly knows how busy the machine is.</param>
    /// <param name="Client">The same of the asker.</param>
    private sealed record NamesRun(double Rate, double Lost, double Failed, double P99, double Server, double Client);
}
