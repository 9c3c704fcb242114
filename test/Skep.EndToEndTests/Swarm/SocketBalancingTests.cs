using System.Text.RegularExpressions;
using Skep.Kernel.Bpf;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Namespaces;

namespace Skep.EndToEndTests.Swarm;

/// <summary>The virtual address as people use it, with the backend chosen by the client's own socket.</summary>
[Collection(SharedSwarm.Name)]
public sealed class SocketBalancingTests(SwarmLab lab)
{
    [Fact]
    public async Task TasksTakeTurnsBehindTheVirtualAddressAndNoPacketIsTranslated()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "sockets");
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "sock-back", "--replicas", "3", "--network", "sockets", SwarmLab.Image);
        await lab.DockerAsync(
            "service", "create", "-d", "--stop-grace-period", "1s", "--name", "sock-front", "--network", "sockets", "--constraint", "node.hostname==node2", SwarmLab.Image);
        try
        {
            var backs = (await lab.RunningAsync("sock-back", 3)).Select(task => task.Container[..12]).Order().ToList();
            var front = Assert.Single(await lab.RunningAsync("sock-front", 1));
            var vip = Regex.Match(await lab.DockerAsync("service", "inspect", "sock-back", "--format", "{{json .Endpoint.VirtualIPs}}"), @"(10\.\d+\.\d+\.\d+)/").Groups[1].Value;
            await lab.UntilAsync(
                "all three answer", 10,
                () => AskAsync(front, $"http://{vip}:3000/cgi-bin/whoami", 3), answers => answers.Split('\n').Order().SequenceEqual(backs));
            var answers = (await AskAsync(front, "http://sock-back:3000/cgi-bin/whoami", 6)).Split('\n');
            Assert.Equal(answers[..3], answers[3..]);
            Assert.Equal(backs, answers[..3].Order());

            // The tasks' own addresses are all that the network's namespace has seen.
            var flows = await FlowsAsync(front.Node, "sockets");
            Assert.NotEmpty(flows);
            Assert.All(flows, flow => Assert.Equal(flow.Original.Destination, flow.Reply.Source));
            Assert.DoesNotContain(flows, flow => flow.Original.Destination.ToString() == vip);
            Assert.Equal(1, Attached(front.Node));
        }
        finally
        {
            await lab.RemoveAsync("sock-back", "sock-front");
            await lab.UntilAsync("the network is removed", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "sockets"])).Status == 0);
        }
    }

    private Task<string> AskAsync(RunningTask from, string url, int times) => lab.OnAsync(
        from.Node, "docker", "exec", from.Container, "sh", "-c", $"for i in $(seq {times}); do timeout 3 wget -qO - {url} || echo failed; done");

    private async Task<IReadOnlyList<ConntrackEntry>> FlowsAsync(int node, string network)
    {
        var id = await lab.DockerAsync("network", "inspect", network, "--format", "{{.ID}}");
        var machine = (await File.ReadAllTextAsync($"/var/lib/skep-lab/{lab.Name}/node{node}/machine")).Split(' ')[0];
        var file = Directory.EnumerateFiles($"/proc/{machine}/root/run/docker/netns").Single(f => f.EndsWith("-" + id[..10], StringComparison.Ordinal));
        using var space = NetworkNamespace.Open(file);
        using var table = ConntrackTable.Open(space);
        return [.. table.Entries().Where(flow => flow.Original.DestinationPort == 3000)];
    }

    /// <summary>How many programs run when a container of the machine connects.</summary>
    private int Attached(int node)
    {
        var root = new[] { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" }.First(folder => File.Exists($"{folder}/cgroup.controllers"));
        using var group = new CgroupPrograms($"{root}/skep-lab/{lab.Name}/node{node}/skep");
        return group.Query(SocketHook.Connect4).Count;
    }
}
