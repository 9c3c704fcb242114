using System.Text.Json.Nodes;
using Skep.EndToEndTests.Lab;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Xfrm;

namespace Skep.EndToEndTests.Swarm;

/// <summary>What a node tells of its network, and what it refuses to carry.</summary>
[Collection(SharedSwarm.Name)]
public sealed class NetStatusTests(SwarmLab lab)
{
    [Fact]
    public async Task ANodeTellsWhatItHasAppliedItsWaysToOthersAndWhatItRepaired()
    {
        var status = await lab.UntilAsync(
            "node2 knows its ways to node1 and node3", 30, () => StatusAsync(2, "table"),
            seen => Line(seen, "node1") is ["node1", "yes", var one, "-"] && int.TryParse(one, out _) && Line(seen, "node3") is ["node3", "yes", var three, "-"] && int.TryParse(three, out _));
        Assert.Contains("REVISION   REPAIRS   EJECTIONS   RETURNS   SOCKET BALANCING", status, StringComparison.Ordinal);
        Assert.Contains("NODE    ANSWERS   MTU", status, StringComparison.Ordinal);
        var node = Assert.Single(await RowsAsync(2, "node"));
        Assert.True(ulong.Parse(node[0]) > 0, status);
        Assert.Matches("^(on|off): .", node[4]);
        var before = long.Parse(node[1]);

        await lab.OnAsync(2, "nft", "delete", "table", "ip", "skep");
        await lab.UntilAsync(
            "the repair of the table is told", 10, async () => string.Join('\n', (await RowsAsync(2, "last-repairs")).Select(row => string.Join(' ', row[1..]))),
            seen => seen.Contains("host table missing ", StringComparison.Ordinal));
        Assert.True(long.Parse((await RowsAsync(2, "node"))[0][1]) > before);
        Assert.Contains(await RowsAsync(2, "repairs"), row => row is ["table", "missing", _]);
        Assert.Contains("chain ", await lab.OnAsync(2, "nft", "list", "table", "ip", "skep"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEncryptedNetworkThatTheKernelCannotCarryRejectsItsTasksAndIsOnNoNode()
    {
        using (var host = NetworkNamespace.Current())
        {
            Assert.SkipWhen(XfrmSupport.Missing(host, six: false) is null, "this kernel can encrypt");
        }

        var id = await lab.DockerAsync("network", "create", "-d", "overlay", "--opt", "encrypted", "secret");
        await lab.DockerAsync("service", "create", "-d", "--name", "sealed", "--mode", "global", "--network", "secret", SwarmLab.Image);
        try
        {
            var options = (await lab.InspectAsync("network", "inspect", "secret"))[0]!["Options"]!.AsObject();
            Assert.True(options.ContainsKey("encrypted"), options.ToJsonString());
            var vni = (string)options["com.docker.network.driver.overlay.vxlanid_list"]!;
            foreach (var node in new[] { "node1", "node2", "node3" })
            {
                await lab.UntilAsync(
                    $"the task on {node} is rejected with what is missing", 20,
                    () => lab.DockerAsync("service", "ps", "--no-trunc", "--format", "{{.Node}} {{.CurrentState}}: {{.Error}}", "sealed"),
                    seen => seen.Split('\n').Any(line => line.StartsWith($"{node} Rejected", StringComparison.Ordinal)
                        && line.Contains("network secret is encrypted and this node cannot encrypt: its kernel lacks ESP with AES-GCM (CONFIG_INET_ESP", StringComparison.Ordinal)));
            }

            // Without its namespace and its tunnel there is nothing that could carry a packet of it in the clear. The ingress network's number is
            // asked for: it is another one once that network has been made anew.
            var ingress = (string)(await lab.InspectAsync("network", "inspect", "ingress"))[0]!["Options"]!["com.docker.network.driver.overlay.vxlanid_list"]!;
            foreach (var node in new[] { 1, 2, 3 })
            {
                Assert.DoesNotContain($"-{id[..9]}", await lab.OnAsync(node, "ls", "/run/docker/netns"), StringComparison.Ordinal);
                var links = await lab.UntilAsync(
                    $"node{node} shows the ingress network's tunnel", 20,
                    () => lab.ShellAsync(node, "ip -d link; for space in /run/docker/netns/*; do nsenter --net=$space ip -d link; done"),
                    seen => seen.Contains($"vxlan id {ingress} ", StringComparison.Ordinal));
                Assert.DoesNotContain($"vxlan id {vni} ", links, StringComparison.Ordinal);
            }
        }
        finally
        {
            await lab.RemoveAsync("sealed");
            await lab.UntilAsync("the network goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "secret"])).Status == 0);
        }
    }

    private Task<string> StatusAsync(int node, string format) => lab.OnAsync(node, Path.Combine(Door.Root, "skep"), "net", "status", "--format", format);

    // No row when the node has no such section.
    private async Task<string[][]> RowsAsync(int node, string section) =>
        [.. JsonNode.Parse(await StatusAsync(node, "json"))!["Sections"]!.AsArray().Where(s => (string)s!["Name"]! == section)
            .SelectMany(s => s!["Rows"]!.AsArray()).Select(row => row!.AsArray().Select(cell => (string)cell!).ToArray())];

    private static string[]? Line(string status, string first) =>
        status.Split('\n').Select(line => line.Split("   ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).FirstOrDefault(cells => cells.FirstOrDefault() == first);
}
