namespace Skep.EndToEndTests.Swarm;

/// <summary>
/// What a health check does where nobody replaces the task: it decides about new flows and nothing else. By the mesh of each machine, by the
/// virtual address, at the socket and by packet rules, and by name.
/// </summary>
[Collection(SharedSwarm.Name)]
public sealed class HealthTests(SwarmLab lab)
{
    private const int Port = 5025;
    private const string Url = "http://ward:3000/cgi-bin/whoami";

    [Theory]
    [InlineData("--restart-condition", "none")]
    [InlineData("--label", "skep.unhealthy=keep")]
    public async Task FlowsFollowTheHealthCheckAndTheTaskLivesOn(string option, string value)
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "clinic");
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "visitor", "--network", "clinic", "--constraint", "node.hostname==node3", SwarmLab.Image);
        await lab.DockerAsync(
            "service", "create", "-d", "--stop-grace-period", "1s", "--name", "ward", "--replicas", "2", "--replicas-max-per-node", "1", "--network", "clinic", "-p", $"{Port}:3000", option, value,
            "--health-cmd", "test -e /well", "--health-interval", "300ms", "--health-retries", "2", "--health-start-period", "60s", SwarmLab.Image);
        try
        {
            var visitor = Assert.Single(await lab.RunningAsync("visitor", 1));
            var containers = (await lab.UntilAsync("two containers start", 20, ContainersAsync, seen => seen.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 2))
                .Split('\n').Select(line => (Node: int.Parse(line.Split(' ')[0]), Id: line.Split(' ')[1])).ToList();
            var (first, second) = (containers[0], containers[1]);
            var vip = await lab.VipAsync("ward", "clinic");
            Assert.Equal("nobody", await SeenAsync());

            await MarkAsync(first, "touch");
            await OnlyAsync(first.Id);
            await MarkAsync(second, "touch");
            await OnlyAsync(first.Id, second.Id);
            var tasks = await lab.RunningAsync("ward", 2);

            await MarkAsync(first, "rm");
            await OnlyAsync(second.Id);
            Assert.Contains("unhealthy container gets no new flows", await lab.DockerAsync("service", "ps", "--no-trunc", "--filter", "desired-state=running", "ward"), StringComparison.Ordinal);
            Assert.Contains("(unhealthy)", await lab.OnAsync(first.Node, "docker", "ps", "--filter", $"id={first.Id}", "--format", "{{.Status}}"), StringComparison.Ordinal);

            // It is not killed, however often it fails: the same two tasks run with the same processes, and no other was ever made.
            for (var round = 0; round < 10; round++)
            {
                Assert.Equal(Short(second.Id), await SeenAsync());
            }

            Assert.Equal(tasks, await lab.TasksAsync("ward"));
            Assert.Equal(2, (await lab.DockerAsync("service", "ps", "-q", "ward")).Split('\n').Length);

            await MarkAsync(first, "touch");
            await OnlyAsync(first.Id, second.Id);
            Assert.Equal(tasks, await lab.TasksAsync("ward"));

            Task<string> OnlyAsync(params string[] ids) => lab.UntilAsync($"only {string.Join(" and ", ids)} are asked", 20, SeenAsync, seen => seen == string.Join(' ', ids.Select(Short).Order()));

            // Who answers four requests by each way, if it is the same ones everywhere.
            async Task<string> SeenAsync()
            {
                const string Repeat = "for i in 1 2 3 4; do {0} || echo nobody; done";
                var curl = $"curl -fsm 2 http://{vip}:3000/cgi-bin/whoami 2>/dev/null";
                string[] ways =
                [
                    .. await Task.WhenAll(Enumerable.Range(1, 3).Select(node => lab.ShellAsync(node, string.Format(null, Repeat, $"curl -fsm 2 http://127.0.0.1:{Port}/cgi-bin/whoami 2>/dev/null")))),
                    await lab.OnAsync(3, "docker", "exec", visitor.Container, "sh", "-c", string.Format(null, Repeat, $"timeout 2 wget -qO - {Url} 2>/dev/null")),
                    await lab.OnAsync(3, "nsenter", $"--net=/run/docker/netns/{visitor.Container[..12]}", "sh", "-c", string.Format(null, Repeat, curl)),
                ];
                var seen = ways.Select(way => string.Join(' ', way.Split('\n').Distinct().Order())).Distinct().ToList();
                var names = (await lab.OnAsync(3, "docker", "exec", visitor.Container, "sh", "-c", "nslookup tasks.ward 127.0.0.11 2>/dev/null | grep -c '^Address.* 10\\.' || true")).Trim();
                return seen.Count == 1 && names == $"{seen[0].Split(' ').Count(name => name != "nobody")}" ? seen[0] : $"{string.Join(" / ", ways)}, {names} by name";
            }
        }
        finally
        {
            await lab.RemoveAsync("ward", "visitor");
            await lab.UntilAsync("the network goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "clinic"])).Status == 0);
        }

        Task<string> MarkAsync((int Node, string Id) container, string how) => lab.OnAsync(container.Node, "docker", "exec", container.Id, how, "/well");

        // A line "node container" for each.
        async Task<string> ContainersAsync() => string.Join('\n', (await Task.WhenAll(Enumerable.Range(1, 3).Select(async node =>
            string.Join('\n', (await lab.OnAsync(node, "docker", "ps", "-q", "--no-trunc", "--filter", "name=ward.")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(id => $"{node} {id}")))))
            .Where(rows => rows.Length > 0));
    }

    private static string Short(string container) => container[..12];
}
