using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Skep.EndToEndTests.Swarm;

/// <summary>Networks of IPv6, with the docker CLI.</summary>
[Collection(SharedSwarm.Name)]
public sealed class FamilyTests(SwarmLab lab)
{
    [Fact]
    public async Task ADualNetworkHasVirtualAddressesNamesAndTasksInBothFamilies()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "--ipv6", "twin");
        await CreateAsync("twinned", "twin", "node.hostname!=node3", "--replicas", "2");
        await CreateAsync("looker", "twin", "node.hostname==node3");
        try
        {
            var network = (await lab.InspectAsync("network", "inspect", "twin"))[0]!;
            Assert.True((bool)network["EnableIPv6"]!);
            var subnets = network["IPAM"]!["Config"]!.AsArray().Select(c => (string)c!["Subnet"]!).ToList();
            Assert.Matches(@"^10\.0\.\d+\.0/24$", subnets[0]);
            Assert.Matches("^fd[0-9a-f]{2}:[0-9a-f:]+::/64$", subnets[1]);

            var tasks = await lab.RunningAsync("twinned", 2);
            var client = Assert.Single(await lab.RunningAsync("looker", 1));
            var vips = (await lab.InspectAsync("service", "inspect", "twinned"))[0]!["Endpoint"]!["VirtualIPs"]!.AsArray().Select(v => (string)v!["Addr"]!).ToList();
            Assert.EndsWith("/24", vips[0], StringComparison.Ordinal);
            Assert.EndsWith("/64", vips[1], StringComparison.Ordinal);
            var vip = vips[1].Split('/')[0];

            await lab.UntilAsync(
                "the name has its AAAA record", 10, () => InAsync(client, "nslookup -type=AAAA twinned 127.0.0.11"),
                seen => seen.Contains(vip, StringComparison.Ordinal));
            Assert.Contains("twinned.twin", await InAsync(client, $"nslookup {vip} 127.0.0.11"), StringComparison.Ordinal);
            Assert.Contains(" 0% packet loss", await InAsync(client, "ping -6 -c 1 -W 2 twinned"), StringComparison.Ordinal);
            await lab.UntilAsync(
                "the address leads to both", 10,
                () => InAsync(client, $"for i in 1 2 3 4; do timeout 3 wget -qO - http://[{vip}]:3000/cgi-bin/whoami; done"),
                answers => answers.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Order().SequenceEqual(tasks.Select(t => t.Container[..12]).Order()));

            var own = await PlaceAsync(client, "twin");
            Assert.Equal(64, (int)own["GlobalIPv6PrefixLen"]!);
            var address = (string)own["GlobalIPv6Address"]!;
            Assert.Equal($"[{address}]", (await InAsync(client, $"timeout 3 wget -qO - http://[{vip}]:3000/cgi-bin/client")).Trim());
            var local = JsonNode.Parse(await lab.OnAsync(client.Node, "docker", "network", "inspect", await lab.DockerAsync("network", "inspect", "twin", "--format", "{{.Id}}")))![0]!;
            Assert.Equal($"{address}/64", (string)local["Containers"]![client.Container]!["IPv6Address"]!);
        }
        finally
        {
            await lab.RemoveAsync("twinned", "looker");
            await GoesAsync("twin");
        }
    }

    [Fact]
    public async Task ANetworkOfIPv6AloneAnswersNamesWithIt()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "--ipv6", "-o", "com.docker.network.enable_ipv4=false", "--subnet", "fd77:1:2:3::/64", "sixonly");
        await CreateAsync("sixweb", "sixonly", "node.hostname==node1");
        await CreateAsync("sixlook", "sixonly", "node.hostname==node2");
        try
        {
            var web = Assert.Single(await lab.RunningAsync("sixweb", 1));
            var client = Assert.Single(await lab.RunningAsync("sixlook", 1));
            Assert.Equal(
                web.Container[..12],
                (await lab.UntilAsync("the name leads to the task", 10, () => InAsync(client, "timeout 3 wget -qO - http://sixweb:3000/cgi-bin/whoami"), seen => seen.Length > 0)).Trim());
            Assert.StartsWith("fd77:1:2:3::", (string)(await PlaceAsync(client, "sixonly"))["GlobalIPv6Address"]!, StringComparison.Ordinal);
            Assert.Equal("", (string)(await PlaceAsync(client, "sixonly"))["IPAddress"]!);
        }
        finally
        {
            await lab.RemoveAsync("sixweb", "sixlook");
            await GoesAsync("sixonly");
        }
    }

    [Fact]
    public async Task WhatCannotBeIsRefusedAtOnce()
    {
        Assert.Contains("add --ipv6", await lab.RefusedAsync(1, "network", "create", "-d", "overlay", "--subnet", "fd77:9::/64", "bad1"), StringComparison.Ordinal);
        Assert.Contains(
            "IPv4 or IPv6 must be enabled", await lab.RefusedAsync(1, "network", "create", "-d", "overlay", "-o", "com.docker.network.enable_ipv4=false", "bad2"), StringComparison.Ordinal);
        Assert.Contains("no address beside its gateway", await lab.RefusedAsync(1, "network", "create", "-d", "overlay", "--subnet", "10.98.0.1/32", "bad3"), StringComparison.Ordinal);
        var lan = string.Join('.', (await lab.AddressAsync(1)).Split('.')[..3]);
        await lab.UntilAsync("every node has told of its routes", 15, async () =>
            (await lab.RefusedAsync(1, "network", "create", "-d", "overlay", "--subnet", $"{lan}.128/25", "bad4"))
                .Contains($"overlaps route {lan}.0/24 dev eth0 of node node1 and 2 more", StringComparison.Ordinal));
        var ingress = (await lab.InspectAsync("network", "inspect", "ingress"))[0]!;
        Assert.True((bool)ingress["EnableIPv6"]!, "the machines have IPv6, so the ingress network has it");
        Assert.True(Regex.IsMatch((string)ingress["Containers"]!["ingress-sbox"]!["IPv6Address"]!, "^fd.*/64$"), ingress.ToJsonString());
    }

    private Task<string> CreateAsync(string name, string network, string where, params string[] more) => lab.DockerAsync(
        ["service", "create", "-d", "--stop-grace-period", "1s", "--name", name, "--network", network, "--constraint", where, .. more, SwarmLab.Image]);

    private async Task<string> InAsync(RunningTask task, string script) => (await lab.TryAsync(task.Node, ["docker", "exec", task.Container, "sh", "-c", script])).Output;

    private async Task<JsonNode> PlaceAsync(RunningTask task, string network) =>
        JsonNode.Parse(await lab.OnAsync(task.Node, "docker", "inspect", task.Container))![0]!["NetworkSettings"]!["Networks"]![network]!;

    private Task<string> GoesAsync(string network) =>
        lab.UntilAsync($"{network} goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", network])).Status == 0);
}
