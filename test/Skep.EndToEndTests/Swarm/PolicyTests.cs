namespace Skep.EndToEndTests.Swarm;

/// <summary>What labels of services do to balancing and to published ports, by the docker command line.</summary>
[Collection(SharedSwarm.Name)]
public sealed class PolicyTests(SwarmLab lab)
{
    private static readonly string[] s_create = ["service", "create", "-d", "--stop-grace-period", "1s"];

    [Fact]
    public async Task ACanaryServesItsWeightOfAServicesFlowsAndLabelsChangeThatWithoutARestart()
    {
        await lab.DockerAsync(["network", "create", "-d", "overlay", "shop"]);
        await lab.DockerAsync([.. s_create, "--name", "web", "--hostname", "stable", "--network", "shop", "-p", "8095:3000", "--label", "skep.balance.weight=4", "--replicas", "2", SwarmLab.Image]);
        try
        {
            await lab.RunningAsync("web", 2);
            await lab.DockerAsync([.. s_create, "--name", "next", "--hostname", "canary", "--network", "shop", "--label", "skep.balance.with=web", SwarmLab.Image]);
            var tasks = (await lab.RunningAsync("web", 2)).Concat(await lab.RunningAsync("next", 1)).ToList();
            Assert.Equal("map[skep.balance.weight:4]", await lab.DockerAsync("service", "inspect", "--format", "{{.Spec.Labels}}", "web"));

            // Nine in a round: two tasks of weight 4, one of weight 1; the same by every entry node and by VIP.
            foreach (var node in new[] { 1, 2, 3 })
            {
                await SharesAsync(() => lab.AskAsync(node, 8095, 18), 16, 2);
            }

            var client = tasks[0];
            await SharesAsync(
                async () => (await lab.OnAsync(client.Node, "docker", "exec", client.Container, "sh", "-c", "for i in $(seq 18); do timeout 3 wget -qO - http://web:3000/cgi-bin/whoami || echo failed; done")).Split('\n'),
                16, 2);

            await lab.DockerAsync("service", "update", "-d", "--label-add", "skep.balance.weight=1", "web");
            await SharesAsync(() => lab.AskAsync(2, 8095, 18), 12, 6);
            await lab.DockerAsync("service", "update", "-d", "--label-rm", "skep.balance.with", "next");
            await SharesAsync(() => lab.AskAsync(3, 8095, 18), 18, 0);
            Assert.Equal(tasks, [.. await lab.TasksAsync("web"), .. await lab.TasksAsync("next")]);

            Assert.Contains("label skep.balance is \"fair\"; allowed: rr, random, source, local-first", await lab.RefusedAsync(1, "service", "update", "-d", "--label-add", "skep.balance=fair", "web"), StringComparison.Ordinal);
            var (_, _, warning) = await lab.TryAsync(1, ["docker", "service", "update", "-d", "--label-add", "skep.balance.with=wbe", "next"]);
            Assert.Contains("there is no service wbe yet", warning, StringComparison.Ordinal);
        }
        finally
        {
            await lab.RemoveAsync("web", "next");
            await lab.DockerAsync("network", "rm", "shop");
        }
    }

    [Fact]
    public async Task APortListensOnTheNodesThatItsLabelNamesAndFollowsTheirLabels()
    {
        await lab.DockerAsync("node", "update", "--label-add", "edge=true", "node2");
        await lab.DockerAsync([.. s_create, "--name", "edge", "-p", "8096:3000", "--label", "skep.publish.8096.nodes=node.labels.edge==true", SwarmLab.Image]);
        try
        {
            await lab.RunningAsync("edge", 1);
            await ListensAsync(8096, 2);
            await lab.DockerAsync("node", "update", "--label-rm", "edge", "node2");
            await lab.DockerAsync("node", "update", "--label-add", "edge=true", "node3");
            await ListensAsync(8096, 3);

            await lab.DockerAsync("service", "update", "-d", "--label-rm", "skep.publish.8096.nodes", "edge");
            await ListensAsync(8096, 1, 2, 3);
            await lab.DockerAsync("service", "update", "-d", "--label-add", "skep.publish.sources=10.77.0.0/16", "edge");
            await lab.UntilAsync("no more from 127.0.0.1", 10, () => lab.AskAsync(1, 8096), seen => seen.Length == 0);
            Assert.NotEqual("", await lab.AskFromOutsideAsync(1, 8096, "cgi-bin/whoami"));
        }
        finally
        {
            await lab.DockerAsync("node", "update", "--label-rm", "edge", "node3");
            await lab.RemoveAsync("edge");
        }
    }

    [Fact]
    public async Task APortThatAProgramOfANodeHoldsIsRefusedWithItsNameAndAPublishedOneIsTakenForPrograms()
    {
        var program = await lab.ShellAsync(2, "busybox nc -ll -p 2222 -e true >/dev/null 2>&1 & echo $!");
        try
        {
            await lab.UntilAsync("node2 tells of its program", 20, () => lab.ShellAsync(1, "curl -s --unix-socket /var/run/docker.sock http://docker/v1.47/nodes/node2"), seen => seen.Contains("\"Port\":2222", StringComparison.Ordinal));
            var refusal = await lab.RefusedAsync(1, [.. s_create, "--name", "ssh", "-p", "2222:3000", SwarmLab.Image]);
            Assert.StartsWith("Error response from daemon: rpc error: code = InvalidArgument desc = port 2222/tcp is held by busybox on node2;", refusal, StringComparison.Ordinal);

            await lab.DockerAsync([.. s_create, "--name", "ssh", "-p", "2222:3000", "--label", "skep.publish.2222.nodes=node.hostname!=node2", SwarmLab.Image]);
            await lab.RunningAsync("ssh", 1);
            await ListensAsync(2222, 1, 3);
            var (status, _, error) = await lab.TryAsync(3, ["busybox", "nc", "-l", "-p", "2222"]);
            Assert.Contains("in use", error, StringComparison.OrdinalIgnoreCase);
            Assert.NotEqual(0, status);
        }
        finally
        {
            await lab.TryAsync(2, ["kill", program]);
            await lab.TryAsync(1, ["docker", "service", "rm", "ssh"]);
            await lab.UntilAsync("no service is left", 30, () => lab.DockerAsync("service", "ls", "-q"), seen => seen.Length == 0);
        }
    }

    // The first rounds may still be those of before the change.
    private Task<string> SharesAsync(Func<Task<string[]>> ask, int stable, int canary) => lab.UntilAsync(
        $"{stable} of {stable + canary} flows for the stable tasks", 20,
        async () =>
        {
            var answers = await ask();
            return $"{answers.Count(a => a.Contains("stable", StringComparison.Ordinal))} and {answers.Count(a => a.Contains("canary", StringComparison.Ordinal))}";
        },
        seen => seen == $"{stable} and {canary}");

    private Task<string> ListensAsync(int port, params int[] nodes) => lab.UntilAsync(
        $"port {port} listens on {string.Join(", ", nodes)}", 20,
        async () =>
        {
            var listening = new List<int>();
            foreach (var node in new[] { 1, 2, 3 })
            {
                if ((await lab.AskAsync(node, port)).Length > 0)
                {
                    listening.Add(node);
                }
            }

            return string.Join(", ", listening);
        },
        seen => seen == string.Join(", ", nodes));
}
