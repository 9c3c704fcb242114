using System.Globalization;
using System.Text.RegularExpressions;
using Skep.EndToEndTests.Lab;

namespace Skep.EndToEndTests.Swarm.Draining;

/// <summary>
/// A machine loses its power while clients ask a service everywhere: the other machines leave its tasks out by themselves, from the silence in
/// their tunnels, long before a manager calls the node down, and where no manager lives. What fails began around the loss, and none
/// after it.
/// </summary>
[Collection(SharedSwarm.Name)]
public sealed partial class PowerLossUnderLoadTests(SwarmLab lab) : IAsyncLifetime
{
    private const int Tcp = 5081;
    private const int Udp = 5082;

    // A request that waits for a dead backend is given up after this; the client's next one begins then.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    // Silence is certain after 0.6 s and four usual round trips (PeerLiveness); on a machine with far too much to do these take long. The
    // manager's 7.5 s are still far away.
    private static readonly TimeSpan s_longestSilence = TimeSpan.FromSeconds(4);

    // From a node's word that the other is silent until no flow goes there any more.
    private static readonly TimeSpan s_applied = TimeSpan.FromSeconds(1);

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in await lab.NotUpAsync())
        {
            await lab.LabAsync("start", $"{node}");
        }

        await lab.ReadyAsync(3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RequestsFailForASecondAtMostAndNoManagerIsNeededForThat(bool managed)
    {
        await NginxImage.EverywhereAsync(lab);
        await lab.DockerAsync("network", "create", "-d", "overlay", "lossy");
        await lab.DockerAsync("service", "create", "-d", "--name", "askers", "--mode", "global", "--network", "lossy", "--stop-grace-period", "1s", SwarmLab.Image, "sleep", "3600");
        await lab.DockerAsync(
            "service", "create", "-d", "--name", "web", "--mode", "global", "--network", "lossy", "--stop-grace-period", "1s",
            "--publish", $"published={Tcp},target=80", "--publish", $"published={Udp},target=5353,protocol=udp", NginxImage.Name);
        try
        {
            // Where its manager's daemon is dead nobody on node1 looks after node1's balancers either.
            int[] nodes = managed ? [1, 2] : [2];
            var askers = (await lab.RunningAsync("askers", 3)).Where(asker => nodes.Contains(asker.Node)).ToList();
            await lab.RunningAsync("web", 3);
            await using var load = new Load(TestContext.Current.CancellationToken, s_patience);
            await load.AskEverywhereAsync(lab, askers, "web", "lossy", (Tcp, Udp));
            await load.MoreAsync(20);
            if (!managed)
            {
                await lab.LabAsync("kill", "1", "--daemon-only");
                await load.MoreAsync(20);
            }

            Assert.True(load.Tallies.All(tally => tally.Failures.Count == 0), load.ToString());
            var before = TimeProvider.System.GetUtcNow();
            await lab.LabAsync("kill", "3");
            var lost = TimeProvider.System.GetUtcNow();
            var down = managed ? LastReadyAsync() : Task.FromResult(DateTimeOffset.MaxValue);
            foreach (var node in nodes)
            {
                await lab.UntilAsync(
                    $"node{node} hears nothing from node3", 15, () => lab.OnAsync(node, Path.Combine(Door.Root, "skep"), "net", "status"),
                    seen => Silent().IsMatch(seen));
            }

            await load.MoreAsync(100);
            var ready = await down;
            await load.MoreAsync(50);

            var all = $"loss between {before:HH:mm:ss.fff} and {lost:HH:mm:ss.fff}, still ready at {ready:HH:mm:ss.fff}\n{load}";
            TestContext.Current.TestOutputHelper?.WriteLine(all);
            var silent = new Dictionary<int, DateTimeOffset>();
            foreach (var node in nodes)
            {
                silent[node] = await SilentSinceAsync(node, before);
                TestContext.Current.TestOutputHelper?.WriteLine($"node{node} calls node3 silent at {silent[node]:HH:mm:ss.fff}");
                Assert.True(silent[node] - lost < s_longestSilence, $"node{node} took until {silent[node]:HH:mm:ss.fff}\n{all}");
            }

            Assert.All(load.Tallies, tally =>
            {
                var last = silent[tally.Who.Contains("node1", StringComparison.Ordinal) ? 1 : 2] + s_applied;
                Assert.True(tally.Failures.All(failure => failure.Began > before - s_patience && failure.Began < last), $"{tally.Who}: a failure too late\n{all}");
                Assert.True(tally.Failures.Sum(failure => failure.Took.TotalSeconds) < (last + s_patience - before).TotalSeconds, $"{tally.Who}: failed for too long\n{all}");
            });
            Assert.True(ready > silent.Values.Max(), $"a manager called the node down before its silence was to be known\n{all}");
        }
        finally
        {
            await DisposeAsync();
            await lab.RemoveAsync("web", "askers");
            await lab.UntilAsync("the network goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "lossy"])).Status == 0);
        }
    }

    /// <summary>When a node's journal says that it leaves node3 out.</summary>
    private async Task<DateTimeOffset> SilentSinceAsync(int node, DateTimeOffset after)
    {
        var silent = DateTimeOffset.MaxValue;
        await lab.UntilAsync($"node{node}'s journal says so", 10, async () =>
        {
            var lines = (await Door.MustAsync("lab", "logs", "--name", lab.Name, $"{node}")).Split('\n').Where(line => line.Contains("Node node3 does not answer through the tunnel", StringComparison.Ordinal));
            var times = lines.Select(line => DateTimeOffset.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)).Where(time => time > after).ToList();
            silent = times.Count > 0 ? times[0] : silent;
            return times.Count > 0;
        });
        return silent;
    }

    /// <summary>Waits until the managers call node3 down, and tells when they last did not.</summary>
    private async Task<DateTimeOffset> LastReadyAsync()
    {
        var ready = DateTimeOffset.MinValue;
        await lab.UntilAsync("node3 is down", 60, async () =>
        {
            var asked = TimeProvider.System.GetUtcNow();
            var state = await lab.DockerAsync("node", "ls", "--filter", "name=node3", "--format", "{{.Status}}");
            ready = state == "Ready" ? asked : ready;
            return state == "Down";
        });
        return ready;
    }

    [GeneratedRegex(@"^node3\s+no\s", RegexOptions.Multiline)]
    private static partial Regex Silent();
}
