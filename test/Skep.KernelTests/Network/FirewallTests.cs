using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Network.Desired;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>
/// Other firewalls beside ours, as iptables-nft, ufw and firewalld write them: what their drop means to us, that it is named with
/// a remedy which works, and that nobody's rules are touched by the other.
/// </summary>
public sealed class FirewallTests
{
    private const string Iptables = """
        table ip filter {
          chain INPUT { type filter hook input priority filter; policy accept; }
          chain FORWARD { type filter hook forward priority filter; policy drop; }
          chain OUTPUT { type filter hook output priority filter; policy accept; }
        }
        """;

    // ufw with its default policies (deny incoming, deny routed), 22/tcp and the swarm's own ports let in.
    private const string Ufw = """
        table ip filter {
          chain ufw-before-input { iifname "lo" counter accept
            ct state related,established counter accept
            meta l4proto icmp counter accept
          }
          chain ufw-user-input { tcp dport { 22, 2377 } counter accept
            udp dport 4789 counter accept
          }
          chain ufw-before-forward { ct state related,established counter accept
            meta l4proto icmp counter accept
            jump ufw-user-forward
          }
          chain ufw-user-forward { }
          chain ufw-reject-forward { }
          chain INPUT { type filter hook input priority filter; policy drop; counter jump ufw-before-input
            counter jump ufw-user-input
          }
          chain FORWARD { type filter hook forward priority filter; policy drop; counter jump ufw-before-forward
            counter jump ufw-reject-forward
          }
        }
        """;

    private const string Firewalld = """
        table inet firewalld {
          chain filter_INPUT { type filter hook input priority filter + 10; policy accept; ct state { established, related } accept
            ct status dnat accept
            iifname "lo" accept
            tcp dport 2377 accept
            udp dport 4789 accept
            meta l4proto { icmp, ipv6-icmp } accept
            reject with icmpx admin-prohibited
          }
          chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept; ct state { established, related } accept
            ct status dnat accept
            iifname "lo" accept
            jump filter_FORWARD_ZONES
            reject with icmpx admin-prohibited
          }
          chain filter_FORWARD_ZONES { goto filter_FWD_public
          }
          chain filter_FWD_public { meta l4proto { icmp, ipv6-icmp } accept
          }
          chain filter_FWD_trusted { accept
          }
        }
        """;

    [Fact]
    public async Task A_forward_policy_of_drop_cuts_published_ports_and_the_way_out_off_and_is_named_with_commands_that_help()
    {
        await using var nodes = await TwoNodes.StartAsync();
        nodes.Serve(nodes.Client, "outside", 9000);
        await LoadAsync(nodes, Iptables);
        await UnreachedAsync(nodes, nodes.Client, "198.18.5.1", 8000);
        await UnreachedAsync(nodes, nodes.Caller, "198.18.5.9", 9000);

        // What stays inside the overlay network, and what the node itself asks for, is not forwarded by the host.
        Assert.Matches("^web[12] 10.0.1.5$", await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000));
        Assert.Matches("^web[12] ", await nodes.AskAsync(nodes.First.Host, "127.0.0.1", 8000));

        await BlockedAsync(nodes, [.. Enum.GetValues<PathKind>().Select(kind => new BlockedPath("ip filter", "FORWARD", kind))]);
        var told = await nodes.First.Log.LineAsync("containers do not reach the outside", nodes.Limit);
        Assert.StartsWith("Warning: Table ip filter of another firewall drops in chain FORWARD", told, StringComparison.Ordinal);
        Assert.Contains("iptables -I FORWARD -i docker_gwbridge -j ACCEPT", told, StringComparison.Ordinal);

        await NftAsync(nodes, "insert rule ip filter FORWARD oifname skep-ingress counter accept");
        await NftAsync(nodes, "insert rule ip filter FORWARD iifname skep-ingress counter accept");
        await BlockedAsync(nodes, new("ip filter", "FORWARD", PathKind.HostMode), new("ip filter", "FORWARD", PathKind.WayOut));
        await NftAsync(nodes, "insert rule ip filter FORWARD oifname docker_gwbridge counter accept");
        await BlockedAsync(nodes, new BlockedPath("ip filter", "FORWARD", PathKind.WayOut));
        await NftAsync(nodes, "insert rule ip filter FORWARD iifname docker_gwbridge counter accept");
        await BlockedAsync(nodes);
        Assert.Matches("^web[12] 198.18.5.9$", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
        Assert.Equal("outside 198.18.5.1", await nodes.AskAsync(nodes.Caller, "198.18.5.9", 9000));

        // Let through is let through to published ports only: our own table still drops the rest.
        var bridge = nodes.First.Network.DescribeGatewayBridge()!;
        var web = bridge.Endpoints.Single(e => e.Key == TestNode.ContainerOf("web1")).Address.Split('/')[0];
        await UnreachedAsync(nodes, nodes.Caller, web, 3000);
    }

    [Fact]
    public async Task With_ufw_its_own_routing_rules_help_and_the_tunnels_need_their_port()
    {
        await using var nodes = await TwoNodes.StartAsync();
        nodes.Serve(nodes.Client, "outside", 9000);
        await LoadAsync(nodes, Ufw);
        PathKind[] all = [PathKind.Published, PathKind.HostMode, PathKind.WayOut];
        await BlockedAsync(nodes, [.. all.Select(kind => new BlockedPath("ip filter", "FORWARD", kind) { Ufw = true })]);
        await UnreachedAsync(nodes, nodes.Client, "198.18.5.1", 8000);

        // Tunnels come in by port 4789, which is open: both backends answer.
        var answers = await BalancePolicyTests.AskAsync(nodes, nodes.Caller, "10.0.1.2", 3000, 2);
        Assert.Equal(["web1", "web2"], answers.Order());

        // What "ufw route allow out on skep-ingress", "… out on docker_gwbridge" and "… in on docker_gwbridge" add.
        await NftAsync(nodes, "add rule ip filter ufw-user-forward oifname skep-ingress counter accept");
        await NftAsync(nodes, "add rule ip filter ufw-user-forward oifname docker_gwbridge counter accept");
        await NftAsync(nodes, "add rule ip filter ufw-user-forward iifname docker_gwbridge counter accept");
        await BlockedAsync(nodes);
        Assert.Matches("^web[12] 198.18.5.9$", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
        Assert.Equal("outside 198.18.5.1", await nodes.AskAsync(nodes.Caller, "198.18.5.9", 9000));
    }

    [Fact]
    public async Task With_firewalld_published_ports_pass_and_the_bridge_in_the_trusted_zone_opens_the_way_out()
    {
        await using var nodes = await TwoNodes.StartAsync();
        nodes.Serve(nodes.Client, "outside", 9000);
        await LoadAsync(nodes, Firewalld);
        await BlockedAsync(nodes, new BlockedPath("inet firewalld", "filter_FORWARD", PathKind.WayOut));
        Assert.Matches("^web[12] 198.18.5.9$", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
        await UnreachedAsync(nodes, nodes.Caller, "198.18.5.9", 9000);
        Assert.Contains("--zone=trusted --add-interface=docker_gwbridge", nodes.First.Network.BlockedPaths.Value[0].Remedy, StringComparison.Ordinal);

        // What adding the bridge to the trusted zone makes of the zones' chain.
        await NftAsync(nodes, "insert rule inet firewalld filter_FORWARD_ZONES iifname docker_gwbridge goto filter_FWD_trusted");
        await BlockedAsync(nodes);
        Assert.Equal("outside 198.18.5.1", await nodes.AskAsync(nodes.Caller, "198.18.5.9", 9000));
    }

    [Fact]
    public async Task A_flush_of_all_rules_is_repaired_within_a_second_and_others_rules_are_never_touched()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await LoadAsync(nodes, Ufw);
        var theirs = await NftAsync(nodes, "list table ip filter");
        await nodes.ApplyAsync(TwoNodes.Plan(2, web1: Model.Plans.EndpointState.Draining));
        Assert.Equal(theirs, await NftAsync(nodes, "list table ip filter"));

        nodes.First.Log.Clear();
        await using var stalls = new Stalls();
        var flushed = TimeProvider.System.GetTimestamp();
        await NftAsync(nodes, "flush ruleset");
        await nodes.First.Log.LineAsync("table ip skep: it was missing", nodes.Limit);
        Assert.Matches("^web2 198.18.5.9$", await AnsweredAsync(nodes));
        Assert.InRange(TimeProvider.System.GetElapsedTime(flushed), TimeSpan.Zero, 3 * stalls.Second);
        Assert.DoesNotContain("filter {", await NftAsync(nodes, "list ruleset"), StringComparison.Ordinal);
    }

    // The line is said before the change that it tells of.
    private static async Task<string> AnsweredAsync(TwoNodes nodes)
    {
        while (true)
        {
            try
            {
                return await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000);
            }
            catch (SocketException)
            {
                nodes.Limit.ThrowIfCancellationRequested();
            }
        }
    }

    private static async Task LoadAsync(TwoNodes nodes, string rules)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, rules.Replace("; policy drop; ", "; policy drop;\n", StringComparison.Ordinal).Replace("; policy accept; ", "; policy accept;\n", StringComparison.Ordinal), nodes.Limit);
            await NftAsync(nodes, "-f", file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Task<string> NftAsync(TwoNodes nodes, params string[] words) =>
        NamespaceFixture.RunAsync(nodes.First.Host, "nft", ["-s", .. words is [var line] ? line.Split(' ') : words]);

    private static Task<IReadOnlyList<BlockedPath>> BlockedAsync(TwoNodes nodes, params BlockedPath[] paths) =>
        nodes.First.Network.BlockedPaths.WaitAsync(b => b.SequenceEqual(paths), nodes.Limit);

    private static Task<Exception> UnreachedAsync(TwoNodes nodes, NetworkNamespace from, string address, int port) =>
        Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(from, address, port));
}
