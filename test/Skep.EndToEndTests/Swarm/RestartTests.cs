using System.Globalization;

namespace Skep.EndToEndTests.Swarm;

/// <summary>Restart policies and health checks: what ends is replaced, as often and as late as was said.</summary>
[Collection(SharedSwarm.Name)]
public sealed class RestartTests(SwarmLab lab)
{
    [Fact]
    public async Task ATaskThatFailsIsReplacedAfterTheDelayUntilTheAttemptsAreUsedUp()
    {
        await lab.DockerAsync("service", "create", "-d", "--name", "failing", "--restart-delay", "1s", "--restart-max-attempts", "2", SwarmLab.Image, "sh", "-c", "exit 3");
        await lab.DockerAsync("service", "create", "-d", "--name", "finished", "--restart-condition", "on-failure", SwarmLab.Image, "true");
        try
        {
            var states = await lab.UntilAsync(
                "three tasks failed", 20,
                () => lab.DockerAsync("service", "ps", "--no-trunc", "--format", "{{.CurrentState}}|{{.Error}}", "failing"),
                seen => seen.Split('\n').Count(line => line.StartsWith("Failed", StringComparison.Ordinal)) == 3);
            Assert.All(states.Split('\n'), line => Assert.EndsWith("|\"task: non-zero exit (3)\"", line, StringComparison.Ordinal));
            var tasks = await lab.InspectAsync(["inspect", "--type", "task", .. (await lab.DockerAsync("service", "ps", "-q", "--no-trunc", "failing")).Split('\n')]);
            var containers = await Task.WhenAll(tasks.Select(async task => await lab.OnAsync(
                int.Parse((await lab.DockerAsync("node", "inspect", (string)task!["NodeID"]!, "--format", "{{.Description.Hostname}}"))[4..], CultureInfo.InvariantCulture),
                "docker", "inspect", "--format", "{{.State.StartedAt}} {{.State.FinishedAt}}", (string)task["Status"]!["ContainerStatus"]!["ContainerID"]!)));
            var times = containers.Select(line => line.Split(' ').Select(time => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture)).ToArray()).OrderBy(pair => pair[0]).ToArray();
            Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange((pair.Second[0] - pair.First[1]).TotalSeconds, 1.0, 10.0));
            await lab.UntilAsync(
                "the other is complete", 10,
                () => lab.DockerAsync("service", "ps", "--format", "{{.CurrentState}}", "finished"), seen => seen.StartsWith("Complete", StringComparison.Ordinal));
            Assert.Equal(3, (await lab.DockerAsync("service", "ps", "-q", "failing")).Split('\n').Length);
        }
        finally
        {
            await lab.RemoveAsync("failing", "finished");
        }
    }

    [Fact]
    public async Task OnlyHealthyTasksAreAskedAndUnhealthyOnesAreReplaced()
    {
        await lab.DockerAsync(
            "service", "create", "-d", "--stop-grace-period", "1s", "--name", "health", "--replicas", "2", "-p", "5021:3000", "--restart-delay", "100ms",
            "--health-cmd", "test -e /healthy", "--health-interval", "300ms", "--health-retries", "2", "--health-start-period", "60s", SwarmLab.Image);
        try
        {
            var containers = await lab.UntilAsync("two containers start", 20, ContainersAsync, seen => seen.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 2);
            Assert.Empty(await lab.TasksAsync("health"));
            Assert.Equal("", await lab.AskAsync(1, 5021));
            var first = containers.Split('\n')[0].Split(' ');
            await lab.OnAsync(int.Parse(first[0], CultureInfo.InvariantCulture), "docker", "exec", first[1], "touch", "/healthy");
            var healthy = Assert.Single(await lab.RunningAsync("health", 1));
            await lab.UntilAsync("the healthy one answers", 10, async () => await lab.AskAsync(1, 5021) != "");
            Assert.Equal([healthy.Container[..12]], (await lab.AskAsync(1, 5021, 4)).Distinct());
            Assert.Contains("(healthy)", await lab.OnAsync(healthy.Node, "docker", "ps", "--filter", $"id={healthy.Container}", "--format", "{{.Status}}"), StringComparison.Ordinal);

            await lab.OnAsync(healthy.Node, "docker", "exec", healthy.Container, "rm", "/healthy");
            await lab.UntilAsync("it is replaced", 20, ContainersAsync, seen => !seen.Contains(healthy.Container[..12], StringComparison.Ordinal) && seen.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 2);
            Assert.Contains("unhealthy container", await lab.DockerAsync("service", "ps", "--no-trunc", "health"), StringComparison.Ordinal);
            Assert.Equal("", await lab.AskAsync(1, 5021));
        }
        finally
        {
            await lab.RemoveAsync("health");
        }

        // A line "node container" for each.
        async Task<string> ContainersAsync() => string.Join('\n', (await Task.WhenAll(Enumerable.Range(1, 3).Select(async node =>
            string.Join('\n', (await lab.OnAsync(node, "docker", "ps", "-q", "--filter", "name=health.")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(id => $"{node} {id}"))))).Where(rows => rows.Length > 0));
    }
}
