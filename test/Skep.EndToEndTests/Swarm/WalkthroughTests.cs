using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Skep.EndToEndTests.Swarm;

/// <summary>The published walkthroughs W1 to W4 (without encryption), typed as they stand.</summary>
[Collection(SharedSwarm.Name)]
public sealed partial class WalkthroughTests(SwarmLab lab)
{
    [Fact]
    public async Task W1RequestsAtAnyNodeGoToTheTasksInTurnAndShowInTheLogs()
    {
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--replicas", "2", "--name", "hello-a", "-p", "5000:3000", SwarmLab.Image);
        try
        {
            var tasks = await lab.RunningAsync("hello-a", 2);
            Assert.Equal(2, tasks.Select(task => task.Node).Distinct().Count());
            var free = new[] { 1, 2, 3 }.Single(node => tasks.All(task => task.Node != node));
            await lab.UntilAsync("the mesh leads to both", 10, async () => (await lab.AskAsync(free, 5000, 2)).Where(answer => answer != "failed").Distinct().Count() == 2);

            var answers = await lab.AskAsync(free, 5000, 6);

            Assert.Equal(tasks.Select(task => task.Container[..12]).Order(), answers.Distinct().Order());
            Assert.Equal([answers[0], answers[1], answers[0], answers[1], answers[0], answers[1]], answers);
            await lab.UntilAsync(
                "both tasks' lines", 10, () => lab.DockerAsync("service", "logs", "--raw", "hello-a"),
                seen => answers.Distinct().All(name => seen.Contains($"{name} served", StringComparison.Ordinal)));
            foreach (var task in tasks)
            {
                Assert.Contains($"hello-a.{task.Slot}.{task.Id}", await lab.OnAsync(task.Node, "docker", "ps", "--format", "{{.Names}}"), StringComparison.Ordinal);
            }

            // The address that the mesh sees is the asker's own, from outside as well.
            var outside = (await lab.AddressAsync(free)).Split('.')[..3];
            Assert.Contains(string.Join('.', outside) + ".254", await lab.AskFromOutsideAsync(free, 5000, "cgi-bin/client"), StringComparison.Ordinal);
            var sandbox = await lab.DockerAsync("network", "inspect", "docker_gwbridge", "--format", "{{(index .Containers \"ingress-sbox\").Name}} {{(index .Containers \"ingress-sbox\").IPv4Address}}");
            Assert.Matches(@"^gateway_ingress-sbox 172\.\d+\.0\.2/16$", sandbox);

            await lab.DockerAsync("service", "scale", "-d", "hello-a=3");
            Assert.Equal([1, 2, 3], (await lab.RunningAsync("hello-a", 3)).Select(task => task.Node).Order());
            await lab.DockerAsync("service", "scale", "-d", "hello-a=1");
            Assert.Single(await lab.RunningAsync("hello-a", 1));
        }
        finally
        {
            await lab.RemoveAsync("hello-a");
        }

        await lab.UntilAsync("the port is closed", 5, async () => await lab.AskAsync(2, 5000) == "");
    }

    [Fact]
    public async Task W2ContainersReachOneAnotherOnAnOverlayButNotOverIngress()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "my-overlay");
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--replicas", "3", "--name", "iso", "-p", "5001:3000", "--network", "my-overlay", SwarmLab.Image);
        try
        {
            var tasks = await lab.RunningAsync("iso", 3);
            var (a, b) = (tasks[0], tasks[1]);
            var (ingress, overlay) = (await AddressAsync(b, "10.0.0."), await AddressAsync(b, "10.0.1."));

            Assert.NotEqual(0, (await InAsync(a, "timeout", "3", "wget", "-qO", "-", $"http://{ingress}:3000/")).Status);
            Assert.Equal(b.Container[..12], await AnswerAsync(a, $"http://{overlay}:3000/cgi-bin/whoami"));
            Assert.Contains(overlay, (await InAsync(a, "ip", "neigh")).Output, StringComparison.Ordinal);
            await lab.UntilAsync(
                "ingress_sbox reaches it", 10,
                async () => (await lab.TryAsync(a.Node, ["nsenter", "--net=/var/run/docker/netns/ingress_sbox", "curl", "-fsm", "3", $"http://{ingress}:3000/"])).Status == 0);
            Assert.Equal("ok", await AnswerAsync(a, "http://iso:3000/"));
        }
        finally
        {
            await lab.RemoveAsync("iso");
            await lab.UntilAsync("my-overlay goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "my-overlay"])).Status == 0);
        }
    }

    [Fact]
    public async Task W3TheVirtualAddressStaysAndBalancesAndTheCallerIsSeen()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "demo");
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "whoami", "-p", "8000:3000", "--network", "demo", "--constraint", "node.hostname==node2", SwarmLab.Image);
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "client", "--network", "demo", "--constraint", "node.hostname==node3", SwarmLab.Image, "sleep", "3600");
        try
        {
            var client = Assert.Single(await lab.RunningAsync("client", 1));
            await lab.UntilAsync("the name resolves", 10, async () => (await InAsync(client, "nslookup", "whoami")).Status == 0);
            var address = VirtualAddress().Match((await InAsync(client, "ping", "-c", "1", "-W", "2", "whoami")).Output).Groups[1].Value;
            Assert.StartsWith("10.0.1.", address, StringComparison.Ordinal);

            await lab.DockerAsync("service", "update", "-d", "--constraint-rm", "node.hostname==node2", "--replicas", "2", "whoami");
            var tasks = await lab.RunningAsync("whoami", 2, 30);

            Assert.Contains($"({address})", (await InAsync(client, "ping", "-c", "1", "-W", "2", "whoami")).Output, StringComparison.Ordinal);
            var own = await Task.WhenAll(tasks.Select(task => AddressAsync(task, "10.0.1.")));
            await lab.UntilAsync(
                "tasks.whoami names both", 10, async () => (await InAsync(client, "nslookup", "tasks.whoami")).Output,
                seen => own.All(one => seen.Contains(one, StringComparison.Ordinal)) && !seen.Contains(address, StringComparison.Ordinal));
            await lab.UntilAsync(
                "the address leads to both", 10,
                async () => (await InAsync(client, "sh", "-c", "for i in 1 2 3 4; do timeout 3 wget -qO - http://whoami:3000/cgi-bin/whoami; done")).Output,
                answers => answers.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Order().SequenceEqual(tasks.Select(task => task.Container[..12]).Order()));
            Assert.Contains(await AddressAsync(client, "10.0.1."), (await InAsync(client, "timeout", "3", "wget", "-qO", "-", "http://whoami:3000/cgi-bin/client")).Output, StringComparison.Ordinal);
            Assert.NotEqual(0, (await InAsync(client, "nslookup", "no-such-service")).Status);
        }
        finally
        {
            await lab.RemoveAsync("whoami", "client");
            await lab.UntilAsync("demo goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "demo"])).Status == 0);
        }
    }

    [Fact]
    public async Task W4AnOverlayIsABridgeAVxlanAndVethsInANamedSpace()
    {
        await lab.DockerAsync("network", "create", "--subnet", "100.0.0.0/24", "-d", "overlay", "net1");
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "n1", "--network", "net1", "--mode", "global", SwarmLab.Image);
        try
        {
            var task = (await lab.RunningAsync("n1", 3)).Single(task => task.Node == 2);
            var id = await lab.DockerAsync("network", "inspect", "net1", "--format", "{{.Id}}");
            var spaces = await lab.OnAsync(2, "ls", "/var/run/docker/netns");
            var space = Regex.Match(spaces, $@"^\d+-{id[..10]}$", RegexOptions.Multiline).Value;
            Assert.True(space.Length > 0, $"no namespace of net1 {id} among\n{spaces}");
            var links = await lab.OnAsync(2, "nsenter", $"--net=/var/run/docker/netns/{space}", "ip", "-o", "link");
            Assert.Matches(@"\d+: br0: ", links);
            Assert.Matches(@"\d+: vxlan\w*(@\w+)?: .*master br0", links);
            var veth = Regex.Match(links, @"(\d+): veth\w+@if(\d+): .*master br0");

            var (_, inside, _) = await InAsync(task, "ip", "-o", "link", "show", "eth0");
            var address = await AddressAsync(task, "100.0.0.");

            Assert.Contains("mtu 1450", inside, StringComparison.Ordinal);
            // busybox writes a peer's number as the name that its own namespace has for it, so only the near end is compared.
            Assert.StartsWith($"{veth.Groups[2].Value}: eth0@", inside.Trim(), StringComparison.Ordinal);
            Assert.Contains($"02:42:{string.Join(':', IPAddress.Parse(address).GetAddressBytes().Select(b => b.ToString("x2", CultureInfo.InvariantCulture)))}", inside, StringComparison.Ordinal);
            Assert.Contains("mtu 1500", (await InAsync(task, "ip", "-o", "link", "show", "eth1")).Output, StringComparison.Ordinal);
            var names = await lab.DockerAsync("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}");
            foreach (var row in new[] { "bridge bridge local", "docker_gwbridge bridge local", "host host local", "none null local", "ingress overlay swarm", "net1 overlay swarm" })
            {
                Assert.Contains(row, names.Split('\n'));
            }
        }
        finally
        {
            await lab.RemoveAsync("n1");
            await lab.UntilAsync("net1 goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "net1"])).Status == 0);
        }

        await lab.UntilAsync(
            "no trace of net1 on node2", 10,
            () => lab.OnAsync(2, "ls", "/var/run/docker/netns"), seen => seen.Split('\n').All(name => name.StartsWith("1-", StringComparison.Ordinal) || name == "ingress_sbox"));
    }

    [GeneratedRegex(@"PING \S+ \(([0-9.]+)\)")]
    private static partial Regex VirtualAddress();

    private Task<(int Status, string Output, string Error)> InAsync(RunningTask task, params string[] command) =>
        lab.TryAsync(task.Node, ["docker", "exec", task.Container, .. command]);

    // A server listens a moment after its container runs.
    private Task<string> AnswerAsync(RunningTask from, string url) => lab.UntilAsync(
        $"{url} answers", 10, async () => (await InAsync(from, "timeout", "3", "wget", "-qO", "-", url)).Output.Trim(), seen => seen.Length > 0);

    private async Task<string> AddressAsync(RunningTask task, string prefix)
    {
        var (_, output, error) = await InAsync(task, "ip", "-4", "-o", "addr");
        var match = Regex.Match(output, Regex.Escape(prefix) + @"\d+(?=/)");
        Assert.True(match.Success, $"no address {prefix}x in\n{output}{error}");
        return match.Value;
    }
}
