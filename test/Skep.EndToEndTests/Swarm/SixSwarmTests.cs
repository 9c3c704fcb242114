using System.Text.RegularExpressions;

namespace Skep.EndToEndTests.Swarm;

/// <summary>A swarm whose machines know each other by IPv6 addresses alone: joining, tunnels, balancing, and ports that both families reach.</summary>
public sealed partial class SixSwarmTests
{
    [Fact]
    public async Task MachinesThatAdvertiseIPv6CarryBothFamiliesOverIt()
    {
        var lab = await SwarmLab.UpAsync(3, "--no-swarm");
        try
        {
            var six = new Dictionary<int, string>();
            foreach (var node in new[] { 1, 2, 3 })
            {
                six[node] = Global().Match(await lab.OnAsync(node, "ip", "-6", "-br", "addr", "show", "eth0")).Groups[1].Value;
                await CountAsync(lab, node);
            }

            await lab.DockerAsync("swarm", "init", "--advertise-addr", six[1]);
            var token = await lab.DockerAsync("swarm", "join-token", "-q", "worker");
            foreach (var node in new[] { 2, 3 })
            {
                Assert.Contains("joined a swarm as a worker", await lab.OnAsync(node, "docker", "swarm", "join", "--advertise-addr", six[node], "--token", token, $"[{six[1]}]:2377"), StringComparison.Ordinal);
            }

            await lab.ReadyAsync(3);
            foreach (var node in new[] { 1, 2, 3 })
            {
                Assert.Equal(six[node], await lab.DockerAsync("node", "inspect", $"node{node}", "--format", "{{.Status.Addr}}"));
            }

            Assert.Equal($"[{six[1]}]:2377", await lab.DockerAsync("node", "inspect", "node1", "--format", "{{.ManagerStatus.Addr}}"));
            await lab.DockerAsync("network", "create", "-d", "overlay", "--ipv6", "twin");
            await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "web", "--mode", "global", "--network", "twin", "-p", "5091:3000", SwarmLab.Image);
            var tasks = await lab.RunningAsync("web", 3, 40);
            var names = tasks.Select(task => task.Container[..12]).Order().ToList();

            // By the mesh of each machine, in both families, all three tasks: two of three answers crossed a tunnel.
            foreach (var node in new[] { 1, 2, 3 })
            {
                foreach (var address in new[] { await lab.AddressAsync(node), $"[{six[node]}]", "127.0.0.1", "[::1]" })
                {
                    var answers = await AnswersAsync(() => lab.ShellAsync(node, $"for i in 1 2 3; do curl -fsgm 3 http://{address}:5091/cgi-bin/whoami || echo failed; done"), names);
                    Assert.Equal(names, answers);
                }

                var from = node % 3 + 1;
                Assert.Equal($"[{six[from]}]", await lab.OnAsync(from, "curl", "-fsgm", "3", $"http://[{six[node]}]:5091/cgi-bin/client"));
                Assert.Equal($"[::ffff:{await lab.AddressAsync(from)}]", await lab.OnAsync(from, "curl", "-fsgm", "3", $"http://{await lab.AddressAsync(node)}:5091/cgi-bin/client"));
            }

            // By the virtual addresses of both families, from a task.
            var client = tasks.Single(task => task.Node == 3);
            var vips = (await lab.InspectAsync("service", "inspect", "web"))[0]!["Endpoint"]!["VirtualIPs"]!.AsArray().Select(vip => ((string)vip!["Addr"]!).Split('/')[0]).ToList();
            var twin = await lab.VipAsync("web", "twin");
            foreach (var url in new[] { $"http://{twin}:3000", $"http://[{vips[vips.IndexOf(twin) + 1]}]:3000", "http://web:3000" })
            {
                Assert.Equal(names, await AnswersAsync(() => lab.OnAsync(3, "docker", "exec", client.Container, "sh", "-c", $"for i in 1 2 3; do timeout 3 wget -qO - {url}/cgi-bin/whoami || echo failed; done"), names));
            }

            foreach (var node in new[] { 1, 2, 3 })
            {
                var links = await lab.ShellAsync(node, "for space in /run/docker/netns/*-*; do nsenter --net=$space ip -d link show vxlan0; done");
                Assert.Equal(2, Regex.Count(links, $@"\blocal {six[node]} "));
                var counts = await lab.OnAsync(node, "nft", "list", "table", "inet", "e2e");
                Assert.True(ulong.Parse(Regex.Match(counts, @"nfproto ipv6 .*packets (\d+)").Groups[1].Value) > 30, counts);
                Assert.Equal("0", Regex.Match(counts, @"nfproto ipv4 .*packets (\d+)").Groups[1].Value);
            }
        }
        finally
        {
            await lab.DisposeAsync();
        }
    }

    /// <summary>Counts the tunnels' frames that arrive, by the family that carries them, in a table that is not Skep's.</summary>
    private static Task<string> CountAsync(SwarmLab lab, int node) => lab.ShellAsync(
        node,
        "nft 'add table inet e2e; add chain inet e2e in { type filter hook input priority -300; }; add rule inet e2e in meta nfproto ipv6 udp dport 4789 counter; add rule inet e2e in meta nfproto ipv4 udp dport 4789 counter'");

    /// <summary>Asks until all have answered in one round; what was seen last when they do not.</summary>
    private static async Task<IReadOnlyList<string>> AnswersAsync(Func<Task<string>> ask, IReadOnlyList<string> wanted)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        while (true)
        {
            List<string> seen = [.. (await ask()).Split('\n').Order()];
            if (seen.SequenceEqual(wanted) || limit.IsCancellationRequested)
            {
                return seen;
            }
        }
    }

    [GeneratedRegex(@"\b(fd[0-9a-f:]+)/64")]
    private static partial Regex Global();
}
