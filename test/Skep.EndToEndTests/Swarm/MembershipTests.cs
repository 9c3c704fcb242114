namespace Skep.EndToEndTests.Swarm;

/// <summary>Machines that come, go and return, on a lab of their own; and what a swarm leaves behind when it ends: nothing.</summary>
public sealed class MembershipTests
{
    [Fact]
    public async Task ASwarmThatEndsLeavesNothingAndItsTokensOpenNoOther()
    {
        var lab = await SwarmLab.UpAsync(2, "--no-swarm");
        try
        {
            await lab.DockerAsync("swarm", "init");
            var old = await TokenAsync();
            await lab.DockerAsync("network", "create", "-d", "overlay", "own");
            await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "here", "-p", "5061:3000", "--network", "own", SwarmLab.Image);
            await lab.UntilAsync("the mesh answers", 20, async () => await lab.AskAsync(1, 5061) != "");

            Assert.Equal("Node left the swarm.", await lab.DockerAsync("swarm", "leave", "--force"));
            await NothingLeftAsync(1);
            Assert.Equal("inactive", await lab.DockerAsync("info", "--format", "{{.Swarm.LocalNodeState}}"));

            // A second swarm on the same machine is another one: the first one's tokens are worth nothing.
            await lab.DockerAsync("swarm", "init");
            var token = await TokenAsync();
            var address = $"{await lab.AddressAsync(1)}:2377";
            Assert.Contains("invalid join token", await lab.RefusedAsync(2, "swarm", "join", "--token", "nonsense", address), StringComparison.Ordinal);
            Assert.Contains("remote CA does not match fingerprint", await lab.RefusedAsync(2, "swarm", "join", "--token", old, address), StringComparison.Ordinal);
            var wrongSecret = token[..^25] + new string('0', 25);
            Assert.Contains("A valid join token is necessary to join this cluster", await lab.RefusedAsync(2, "swarm", "join", "--token", wrongSecret, address), StringComparison.Ordinal);
            Assert.Equal("inactive", await lab.OnAsync(2, "docker", "info", "--format", "{{.Swarm.LocalNodeState}}"));

            // A worker joins, leaves with its tasks, and joins again under another identity.
            Assert.Equal("This node joined a swarm as a worker.", await lab.OnAsync(2, "docker", "swarm", "join", "--token", token, address));
            await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "both", "--mode", "global", "-p", "5062:3000", SwarmLab.Image);
            var first = (await lab.RunningAsync("both", 2)).Single(task => task.Node == 2);
            Assert.Equal("Node left the swarm.", await lab.OnAsync(2, "docker", "swarm", "leave"));
            await NothingLeftAsync(2);
            await lab.UntilAsync("it is down", 20, () => lab.DockerAsync("node", "ls", "--format", "{{.Hostname}} {{.Status}}"), seen => seen.Contains("node2 Down", StringComparison.Ordinal));
            await lab.DockerAsync("node", "rm", "node2");
            await lab.OnAsync(2, "docker", "swarm", "join", "--token", token, address);
            var again = (await lab.RunningAsync("both", 2)).Single(task => task.Node == 2);
            Assert.NotEqual(first.Id, again.Id);
            await lab.UntilAsync("its mesh answers", 10, async () => await lab.AskAsync(2, 5062) != "");
        }
        finally
        {
            await lab.DisposeAsync();
        }

        async Task<string> TokenAsync() => await lab.DockerAsync("swarm", "join-token", "-q", "worker");

        async Task NothingLeftAsync(int node)
        {
            await lab.UntilAsync("no container", 20, () => lab.OnAsync(node, "docker", "ps", "-a", "-q"), seen => seen.Length == 0);
            await lab.UntilAsync("no namespace", 10, () => lab.ShellAsync(node, "ls -A /run/docker/netns 2>/dev/null || true"), seen => seen.Length == 0);
            await lab.UntilAsync("no table", 10, () => lab.OnAsync(node, "nft", "list", "tables"), seen => !seen.Contains("skep", StringComparison.Ordinal));
            await lab.UntilAsync("no overlay", 10, () => lab.OnAsync(node, "docker", "network", "ls", "-q", "--filter", "driver=overlay"), seen => seen.Length == 0);
            Assert.Equal("", await lab.ShellAsync(node, "ip -o link | grep vxlan || true"));
        }
    }
}
