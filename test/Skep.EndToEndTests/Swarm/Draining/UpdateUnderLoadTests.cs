using System.Globalization;
using System.Text.Json.Nodes;

namespace Skep.EndToEndTests.Swarm.Draining;

/// <summary>
/// A service of ten is replaced task by task while clients ask it from everywhere: not one request is lost, and each old task says who
/// had confirmed before it was told to stop. SKEP_DRAIN_ROUNDS replaces it so many times over (docs/operations.md).
/// </summary>
[Collection(SharedSwarm.Name)]
public sealed class UpdateUnderLoadTests(SwarmLab lab)
{
    private const int Tcp = 5071;
    private const int Udp = 5072;

    [Theory]
    [InlineData("start-first")]
    [InlineData("stop-first")]
    public async Task NoRequestIsLostWhileEveryTaskIsReplaced(string order)
    {
        await NginxImage.EverywhereAsync(lab);
        await lab.DockerAsync("network", "create", "-d", "overlay", "drained");
        await lab.DockerAsync("service", "create", "-d", "--name", "askers", "--mode", "global", "--network", "drained", "--stop-grace-period", "1s", SwarmLab.Image, "sleep", "3600");
        await lab.DockerAsync(
            "service", "create", "-d", "--name", "web", "--replicas", "10", "--network", "drained", "--stop-signal", "SIGQUIT",
            "--publish", $"published={Tcp},target=80", "--publish", $"published={Udp},target=5353,protocol=udp", "--label", "skep.drain.grace=400ms",
            "--update-parallelism", "2", "--update-order", order, "--update-monitor", "100ms", NginxImage.Name);
        try
        {
            var askers = await lab.RunningAsync("askers", 3);
            await lab.RunningAsync("web", 10);
            await using var load = new Load(TestContext.Current.CancellationToken);
            await load.AskEverywhereAsync(lab, askers, "web", "drained", (Tcp, Udp));
            for (var round = 0; round < Rounds; round++)
            {
                await load.MoreAsync(20);
                var before = await lab.TasksAsync("web");
                await lab.DockerAsync("service", "update", "-d", "--force", "web");
                await lab.UntilAsync(
                    "the update is completed", 120,
                    () => lab.DockerAsync("service", "inspect", "web", "--format", "{{json .UpdateStatus}}"),
                    seen => seen.Contains("\"completed\"", StringComparison.Ordinal));
                await load.MoreAsync(20);
                Assert.True(load.Tallies.All(tally => tally.Failures.Count == 0), load.ToString());
                await ReceiptsAsync(before);
            }

            TestContext.Current.TestOutputHelper?.WriteLine(load.ToString());
            Assert.True(load.Tallies.Sum(tally => tally.Answers) > 30 * 40, load.ToString());
        }
        finally
        {
            await lab.RemoveAsync("web", "askers");
            await lab.UntilAsync("the network goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "drained"])).Status == 0);
        }
    }

    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("SKEP_DRAIN_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 1;

    private async Task ReceiptsAsync(IReadOnlyList<RunningTask> before)
    {
        await lab.UntilAsync(
            "the old tasks are shut down", 20,
            () => lab.DockerAsync(["inspect", "--type", "task", "--format", "{{.Status.State}}", .. before.Select(task => task.Id)]),
            seen => seen.Split('\n').All(state => state == "shutdown"));
        var old = await lab.InspectAsync(["inspect", "--type", "task", .. before.Select(task => task.Id)]);
        var service = JsonNode.Parse(await lab.DockerAsync("inspect", "--type", "service", "--format", "{{json .Drains}}", "web"))!.AsArray();
        Assert.Matches(
            $"^update completed; {before.Count} tasks drained, ([0-9]+ of them )?confirmed by all nodes", await lab.DockerAsync("service", "inspect", "--format", "{{.UpdateStatus.Message}}", "web"));
        var all = 0;
        foreach (var task in old)
        {
            var shown = Assert.Single(service, drain => ((string)drain!["Task"]!).EndsWith((string)task!["ID"]!, StringComparison.Ordinal));
            Assert.True(JsonNode.DeepEquals(task!["Status"]!["Drain"], shown!["Drain"]), shown.ToJsonString());
            Assert.Matches("^node[123]$", (string)shown["Node"]!);
        }

        foreach (var status in old.Select(task => task!["Status"]!))
        {
            var receipt = status["Drain"]!;
            string[] confirmed = [.. receipt["Confirmed"]!.AsArray().Select(node => (string)node!)];
            string[] unconfirmed = [.. receipt["Unconfirmed"]!.AsArray().Select(node => (string)node!)];
            Assert.Equal(["node1", "node2", "node3"], confirmed.Concat(unconfirmed).Order(StringComparer.Ordinal));
            Assert.True((ulong)receipt["Revision"]! > 0, receipt.ToJsonString());
            Assert.Contains($"{confirmed.Length}/3 nodes confirmed", (string?)status["Message"], StringComparison.Ordinal);

            // On a machine with far too much to do a node may take longer than it is waited for; then it was waited for so long.
            Assert.True(unconfirmed.Length == 0 || (long)receipt["Took"]! >= 2_000_000_000, receipt.ToJsonString());
            all += confirmed.Length == 3 ? 1 : 0;
        }

        Assert.True(all > old.Count / 2, $"only {all} of {old.Count} receipts have all nodes: {old.ToJsonString()}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{all} of {old.Count} receipts have all nodes");
    }
}
