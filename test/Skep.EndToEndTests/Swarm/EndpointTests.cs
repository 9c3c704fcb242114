using System.Text.RegularExpressions;

namespace Skep.EndToEndTests.Swarm;

/// <summary>Ways to reach a service other than the mesh and a virtual address: host-mode ports and DNS round robin.</summary>
[Collection(SharedSwarm.Name)]
public sealed class EndpointTests(SwarmLab lab)
{
    [Fact]
    public async Task AHostModePortIsItsNodesAloneAndTakenPortsWait()
    {
        await lab.DockerAsync(
            "service", "create", "-d", "--stop-grace-period", "1s", "--name", "hosted", "--replicas", "2", "--constraint", "node.hostname==node2",
            "--publish", "mode=host,published=5031,target=3000", SwarmLab.Image);
        try
        {
            var task = Assert.Single(await lab.RunningAsync("hosted", 1));
            await lab.UntilAsync("the port answers on its node", 10, async () => await lab.AskAsync(2, 5031) == task.Container[..12]);
            Assert.Equal($"{task.Container[..12]}", (await lab.AskFromOutsideAsync(2, 5031, "cgi-bin/whoami")).Trim());
            Assert.Equal("", await lab.AskAsync(1, 5031));
            Assert.Equal("", await lab.AskAsync(3, 5031));
            Assert.Contains(
                "no suitable node (scheduling constraints not satisfied on 2 nodes; host-mode port already in use on 1 node)",
                await lab.UntilAsync(
                    "the second says why it waits", 10, () => lab.DockerAsync("service", "ps", "--no-trunc", "hosted"),
                    seen => seen.Contains("no suitable node", StringComparison.Ordinal)),
                StringComparison.Ordinal);
            Assert.Contains("*:5031->3000/tcp", await lab.DockerAsync("service", "ps", "--format", "{{.Ports}}", "hosted"), StringComparison.Ordinal);

            // The one that waits takes the port when it is free.
            await lab.OnAsync(2, "docker", "kill", task.Container);
            await lab.UntilAsync("another answers", 20, async () => await lab.AskAsync(2, 5031) is { Length: > 0 } other && other != task.Container[..12]);
        }
        finally
        {
            await lab.RemoveAsync("hosted");
        }

        await lab.UntilAsync("the port is closed", 10, async () => await lab.AskAsync(2, 5031) == "");
    }

    [Fact]
    public async Task ANameInRoundRobinHasTheTasksAddressesAndFollowsThem()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "--attachable", "robin");
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "rr", "--replicas", "3", "--endpoint-mode", "dnsrr", "--network", "name=robin,alias=other", SwarmLab.Image);
        try
        {
            var tasks = await lab.RunningAsync("rr", 3);
            Assert.Equal("dnsrr []", await lab.DockerAsync("service", "inspect", "rr", "--format", "{{.Endpoint.Spec.Mode}} {{.Endpoint.VirtualIPs}}"));
            var addresses = await Task.WhenAll(tasks.Select(async task =>
                Regex.Match(await lab.OnAsync(task.Node, "docker", "exec", task.Container, "ip", "-4", "-o", "addr", "show", "eth0"), @"10\.\d+\.\d+\.\d+").Value));
            await ResolvesAsync("rr", addresses);
            await ResolvesAsync("other", addresses);
            await ResolvesAsync("tasks.rr", addresses);

            await lab.DockerAsync("service", "scale", "-d", "rr=2");
            var left = await lab.RunningAsync("rr", 2);
            await ResolvesAsync("rr", [.. addresses.Where((_, i) => left.Contains(tasks[i]))]);

            Task<string> ResolvesAsync(string name, string[] wanted) => lab.UntilAsync(
                $"{name} is {string.Join(' ', wanted)}", 10,
                async () => (await lab.TryAsync(tasks[0].Node, ["docker", "exec", tasks.First(task => task.Node == tasks[0].Node).Container, "nslookup", name])).Output,
                seen => Regex.Matches(seen, @"(?<=Address.*)10\.\d+\.\d+\.\d+").Select(match => match.Value).Distinct().Order().SequenceEqual(wanted.Order()));
        }
        finally
        {
            await lab.RemoveAsync("rr");
            await lab.UntilAsync("robin goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "robin"])).Status == 0);
        }
    }
}
