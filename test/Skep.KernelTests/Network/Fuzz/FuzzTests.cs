using System.Diagnostics;
using System.Globalization;

namespace Skep.KernelTests.Network.Fuzz;

/// <summary>
/// Entries of the kernel are deleted and corrupted at random on three machines under load. All is right again within a second, found by notice or by the
/// quick look at settings and sockets, not by the slow look at everything; and nobody gets an answer from another service, unless one machine has lost at once
/// a rule of where to lead flows and the one that looks after it. Runs for a few seconds; for SKEP_SOAK_MINUTES minutes when that is set.
/// </summary>
[Collection(Alone.Name)]
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Waves = 10;
    private static readonly TimeSpan s_longestBar = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, HarmFigures> _figures = new(StringComparer.Ordinal);
    private readonly HashSet<Harm> _done = [];
    private readonly List<TimeSpan> _bars = [];
    private readonly List<TimeSpan> _last = [];
    private readonly int _seed = Environment.TickCount;

    [Fact]
    public async Task Whatever_is_deleted_or_corrupted_is_right_again_within_a_second_and_nobody_is_misled()
    {
        var minutes = double.Parse(Environment.GetEnvironmentVariable("SKEP_SOAK_MINUTES") ?? "0", CultureInfo.InvariantCulture);
        output.WriteLine($"seed {_seed}");
        var random = new Random(_seed);
        var clock = Stopwatch.StartNew();
        var queue = new Queue<Harm>();
        try
        {
            do
            {
                // The machines have a limit of time of their own; a long run takes new ones.
                await using var nodes = await FuzzNodes.StartAsync();
                await using var stalls = new Stalls();
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(nodes.Limit);
                var load = Enumerable.Range(0, 2).Select(i => AskOnAsync(nodes, new Random(_seed + i), stop.Token)).ToList();
                for (var wave = 0; wave < (minutes > 0 ? 3 * Waves : Waves) && (minutes == 0 || clock.Elapsed < TimeSpan.FromMinutes(minutes)); wave++)
                {
                    await WaveAsync(nodes, stalls, [.. Take(queue, random)], random);
                }

                await stop.CancelAsync();
                var answers = (await Task.WhenAll(load)).Sum();
                output.WriteLine($"{answers} right answers while {_done.Count} of {Harm.All.Length} harms were done");
                Assert.Empty(nodes.Wrong);
            }
            while (clock.Elapsed < TimeSpan.FromMinutes(minutes));
        }
        finally
        {
            output.WriteLine($"the last repair of a wave came after {string.Join(", ", _last.Order().Select(l => l.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)))} ms");
            output.WriteLine($"{_bars.Count} waves, looked at after {_bars.Min().TotalMilliseconds:0} to {_bars.Max().TotalMilliseconds:0} ms: a second, longer where this machine kept us waiting");
            foreach (var (kind, figures) in _figures.OrderBy(f => f.Key, StringComparer.Ordinal))
            {
                output.WriteLine($"{kind,-10} {figures}");
            }
        }

        Assert.True(minutes < 5 || _done.Count == Harm.All.Length, $"never done: {string.Join(" | ", Harm.All.Except(_done))}");
    }

    // A second; on a machine that keeps us waiting more, but not without end.
    private static TimeSpan Bar(Stalls stalls) => stalls.Second < s_longestBar ? stalls.Second : s_longestBar;

    // All harms in turn, in another order each time.
    private static IEnumerable<Harm> Take(Queue<Harm> queue, Random random)
    {
        for (var i = random.Next(3); i >= 0; i--)
        {
            if (queue.Count == 0)
            {
                var all = Harm.All.ToArray();
                random.Shuffle(all);
                all.ToList().ForEach(queue.Enqueue);
            }

            yield return queue.Dequeue();
        }
    }

    private async Task WaveAsync(FuzzNodes nodes, Stalls stalls, List<Harm> harms, Random random)
    {
        stalls.Reset();
        var begun = TimeProvider.System.GetUtcNow();
        var done = new List<(Harm Harm, int Machine)>();
        foreach (var harm in harms)
        {
            var machine = random.Next(FuzzNodes.Machines) + 1;
            if (await harm.DoAsync(nodes, machine))
            {
                done.Add((harm, machine));
                _done.Add(harm);
            }
        }

        var ended = TimeProvider.System.GetUtcNow();
        var story = $"seed {_seed}: {string.Join(" + ", done.Select(d => $"node{d.Machine} {d.Harm}"))}";
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (TimeProvider.System.GetUtcNow() - ended < Bar(stalls))
        {
            await look.WaitForNextTickAsync(nodes.Limit);
        }

        // From here on nothing may be left: no wrong answer, and nothing for a look at everything to find.
        var healed = TimeProvider.System.GetUtcNow();
        _bars.Add(healed - ended);
        _last.Add(nodes.Nodes.SelectMany(n => n.Network.Repairs.Last).Where(r => r.At >= ended).Select(r => r.At - ended).DefaultIfEmpty().Max());
        foreach (var node in nodes.Nodes)
        {
            for (var i = 0; i < 2; i++)
            {
                var repairs = node.Network.Repairs.Total;
                await node.Network.AuditAsync(nodes.Limit);
                var found = node.Network.Repairs.Last.TakeLast((int)(node.Network.Repairs.Total - repairs));
                Assert.True(repairs == node.Network.Repairs.Total, $"{story}: {node.Id} found after {healed - ended}: {string.Join(", ", found)}");
            }
        }

        var right = await RightAsync(nodes, story);
        Note(nodes, done, begun, ended, right);
        Judge(nodes, done, begun, healed, story);
    }

    // Every way answers right; the time until then.
    private static async Task<TimeSpan> RightAsync(FuzzNodes nodes, string story)
    {
        var clock = Stopwatch.StartNew();
        foreach (var path in nodes.Paths)
        {
            while (!await nodes.AskAsync(path))
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"{story}: {path.Name} is not answered");
            }
        }

        return clock.Elapsed;
    }

    private void Note(FuzzNodes nodes, List<(Harm Harm, int Machine)> done, DateTimeOffset begun, DateTimeOffset ended, TimeSpan right)
    {
        if (done is not [var (harm, machine)])
        {
            return;
        }

        var repairs = nodes.Nodes[machine - 1].Network.Repairs.Last.Where(r => r.At >= begun).ToList();
        if (!_figures.TryGetValue(harm.Kind, out var figures))
        {
            _figures[harm.Kind] = figures = new HarmFigures();
        }

        figures.Add(harm, repairs.Count == 0 ? null : repairs[^1].At - ended, right, nodes.Wrong.Select(w => w.Ended - ended));
    }

    private static void Judge(FuzzNodes nodes, List<(Harm Harm, int Machine)> done, DateTimeOffset begun, DateTimeOffset healed, string story)
    {
        while (nodes.Wrong.TryDequeue(out var wrong))
        {
            // Only who was led astray and not looked at once more arrives at the other service.
            Assert.True(
                done.Exists(d => d.Harm.Misleads && done.Exists(b => b.Harm.Blinds && b.Machine == d.Machine))
                && wrong.Begun >= begun - TimeSpan.FromMilliseconds(300) && wrong.Begun <= healed,
                $"{story}: {wrong.What}, {(wrong.Begun - begun).TotalMilliseconds:0} ms after the harm began");
        }
    }

    private static async Task<int> AskOnAsync(FuzzNodes nodes, Random random, CancellationToken stop)
    {
        var right = 0;
        while (!stop.IsCancellationRequested)
        {
            right += await nodes.AskAsync(nodes.Paths[random.Next(nodes.Paths.Length)]) ? 1 : 0;
        }

        return right;
    }
}
