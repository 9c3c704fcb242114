using System.Globalization;
using System.Text.Json.Nodes;

namespace Skep.EndToEndTests.Swarm;

/// <summary>Rolling updates: their order and their parallelism as the containers' own clocks tell it, and their end.</summary>
[Collection(SharedSwarm.Name)]
public sealed class UpdateTests(SwarmLab lab)
{
    private static readonly string[] s_create = ["service", "create", "-d", "--stop-grace-period", "1s", "--update-monitor", "300ms"];

    [Theory]
    [InlineData("stop-first")]
    [InlineData("start-first")]
    public async Task AnUpdateReplacesTwoAtATimeInTheWantedOrder(string order)
    {
        await lab.DockerAsync([.. s_create, "--name", "rolled", "--replicas", "4", "--update-parallelism", "2", "--update-order", order, SwarmLab.Image]);
        try
        {
            var before = await lab.RunningAsync("rolled", 4);

            await lab.DockerAsync("service", "update", "-d", "--env-add", "GENERATION=2", "rolled");
            await UpdatedAsync("rolled", "completed");
            var after = await lab.RunningAsync("rolled", 4);

            Assert.Empty(before.Select(task => task.Id).Intersect(after.Select(task => task.Id)));
            Assert.Equal([1, 2, 3, 4], after.Select(task => task.Slot).Order());
            Assert.Equal("GENERATION=2", await EnvironmentAsync(after[0]));
            var old = await lab.InspectAsync(["inspect", "--type", "task", .. before.Select(task => task.Id)]);
            Assert.All(old, task => Assert.Equal("shutdown", (string?)task!["DesiredState"]));
            await lab.UntilAsync(
                "the old ones are shut down", 10,
                () => lab.DockerAsync(["inspect", "--type", "task", "--format", "{{.Status.State}}", .. before.Select(task => task.Id)]),
                seen => seen == "shutdown\nshutdown\nshutdown\nshutdown");
            var gaps = await Task.WhenAll(before.Select(async task => (
                Ended: await TimeAsync(task, "FinishedAt"),
                Began: await TimeAsync(after.Single(one => one.Slot == task.Slot), "StartedAt"))));
            if (order == "stop-first")
            {
                Assert.All(gaps, gap => Assert.True(gap.Ended <= gap.Began, $"the new task began at {gap.Began:o}, the old one ended at {gap.Ended:o}"));
                Assert.All(gaps, gap => Assert.InRange(gaps.Count(other => other.Ended <= gap.Ended && gap.Ended < other.Began), 1, 2));
            }
            else
            {
                Assert.All(gaps, gap => Assert.True(gap.Began < gap.Ended, $"the new task began at {gap.Began:o}, the old one ended at {gap.Ended:o}"));
            }

            await lab.DockerAsync("service", "update", "-d", "--force", "--update-parallelism", "0", "rolled");
            await lab.UntilAsync("four others run", 20, async () =>
            {
                var forced = await lab.TasksAsync("rolled");
                return forced.Count == 4 && !forced.Select(task => task.Id).Intersect(after.Select(task => task.Id)).Any();
            });
            Assert.Equal(4 * 3, (await lab.DockerAsync("service", "ps", "-q", "rolled")).Split('\n').Length);
        }
        finally
        {
            await lab.RemoveAsync("rolled");
        }
    }

    [Fact]
    public async Task AFailingUpdatePausesNamesTheTaskAndTheNextOneGoesOn()
    {
        await lab.DockerAsync([.. s_create, "--name", "paused", "--replicas", "3", "--restart-delay", "200ms", SwarmLab.Image]);
        try
        {
            var before = await lab.RunningAsync("paused", 3);

            await lab.DockerAsync("service", "update", "-d", "--args", "busybox false", "paused");
            var status = await UpdatedAsync("paused", "paused");

            Assert.Matches("^update paused due to failure or early termination of task [0-9a-z]{25}$", (string?)status["Message"]);
            var failed = await lab.InspectAsync("inspect", "--type", "task", ((string)status["Message"]!)[^25..]);
            Assert.Equal("task: non-zero exit (1)", (string?)failed[0]!["Status"]!["Err"]);
            // What the update had not reached when the first one failed still runs.
            Assert.NotEmpty((await lab.TasksAsync("paused")).Intersect(before));

            await lab.DockerAsync("service", "update", "-d", "--args", "sleep 3600", "paused");
            await UpdatedAsync("paused", "completed");
            Assert.Empty((await lab.RunningAsync("paused", 3)).Intersect(before));
        }
        finally
        {
            await lab.RemoveAsync("paused");
        }
    }

    private async Task<JsonNode> UpdatedAsync(string service, string state)
    {
        var seen = await lab.UntilAsync(
            $"the update of {service} is {state}", 40,
            () => lab.DockerAsync("service", "inspect", service, "--format", "{{json .UpdateStatus}}"),
            status => status.Contains($"\"State\":\"{state}\"", StringComparison.Ordinal));
        return JsonNode.Parse(seen)!;
    }

    private async Task<DateTimeOffset> TimeAsync(RunningTask task, string field) => DateTimeOffset.Parse(
        await lab.OnAsync(task.Node, "docker", "inspect", "--format", $"{{{{.State.{field}}}}}", task.Container), CultureInfo.InvariantCulture);

    private Task<string> EnvironmentAsync(RunningTask task) =>
        lab.OnAsync(task.Node, "docker", "exec", task.Container, "sh", "-c", "env | grep GENERATION");
}
