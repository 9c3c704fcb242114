using System.Diagnostics;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>What others put in the way of what is ours goes within a second, and nothing that was wished is lost by it.</summary>
public sealed class StrangerTests
{
    [Fact]
    public async Task Tables_that_were_put_to_sleep_or_got_strangers_things_are_as_before()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var demo = nodes.First.Open("2-demoxxxxxx");
        await GoesAsync(demo, "nft add table ip skep-0 '{ flags dormant; }'", "nft list table ip skep-0", "dormant");
        await GoesAsync(demo, "nft add table ip skep '{ flags dormant; }'", "nft list table ip skep", "dormant");
        await GoesAsync(nodes.First.Host, "nft add table ip skep-0 '{ flags dormant; }'", "nft list table ip skep-0", "dormant");
        await GoesAsync(nodes.First.Host, "nft add table ip skep '{ flags dormant; }'", "nft list table ip skep", "dormant");
        foreach (var thing in new[] { "counter ip skep stranger", "quota ip skep stranger '{ over 25 mbytes; }'", "ct helper ip skep stranger '{ type \"ftp\" protocol tcp; }'", "map ip skep stranger '{ type ipv4_addr : counter; }'" })
        {
            await GoesAsync(demo, $"nft add {thing}", "nft list table ip skep", "stranger");
        }

        await AreRightAsync(nodes);
    }

    [Fact]
    public async Task Tables_of_others_go_where_everything_is_ours_and_stay_on_the_host_and_in_containers()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var demo = nodes.First.Open("2-demoxxxxxx");
        const string stranger = "nft 'add table inet stranger ; add chain inet stranger c { type filter hook forward priority 0; policy drop; }'";
        await GoesAsync(demo, stranger, "nft list ruleset", "stranger");
        await GoesAsync(demo, "nft add table bridge stranger; nft add table netdev stranger", "nft list ruleset", "stranger");
        foreach (var others in new[] { nodes.First.Host, nodes.Web1 })
        {
            await NamespaceFixture.RunAsync(others, "nft", "add", "table", "inet", "stranger");
        }

        await AreRightAsync(nodes);
        Assert.Contains("stranger", await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "list", "tables"), StringComparison.Ordinal);
        Assert.Contains("stranger", await NamespaceFixture.RunAsync(nodes.Web1, "nft", "list", "tables"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_there_again_with_another_end_goes_and_the_gateways_own_stays()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var host = nodes.First.Host;
        await GoesAsync(host, "ip addr add 172.18.0.1 peer 10.9.9.9/16 dev docker_gwbridge", "ip addr show docker_gwbridge", "peer");
        // The address may be back before the other one is added.
        await GoesAsync(host, "until ip addr del 172.18.0.1/16 dev docker_gwbridge; ip addr add 172.18.0.1 peer 172.18.9.9/16 dev docker_gwbridge; do :; done", "ip addr show docker_gwbridge", "peer");
        Assert.Contains("172.18.0.1/16", await NamespaceFixture.RunAsync(host, "ip", "addr", "show", "docker_gwbridge"), StringComparison.Ordinal);
        await AreRightAsync(nodes);
    }

    [Fact]
    public async Task Rules_and_routes_that_lead_elsewhere_or_nowhere_go_and_the_kernels_own_rules_come_back()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var demo = nodes.First.Open("2-demoxxxxxx");
        await GoesAsync(demo, "ip rule del pref 32766", "ip rule | grep -q 32766 || echo missing", "missing");
        await GoesAsync(demo, "ip rule del pref 0", "ip rule | grep -q 'lookup local' || echo missing", "missing");
        await GoesAsync(demo, "ip rule add pref 5 blackhole", "ip rule", "blackhole");
        await GoesAsync(demo, "ip rule add pref 7 iif br0 lookup 7777", "ip rule", "7777");
        await GoesAsync(demo, "ip rule add pref 32766 to 10.0.1.0/24 lookup 7777", "ip rule", "7777");
        await GoesAsync(demo, "ip route add blackhole 10.0.1.4/32", "ip route", "blackhole");
        await GoesAsync(demo, "ip route add unreachable 10.0.1.4/32 metric 9 table 77", "ip route show table 77", "unreachable");
        await GoesAsync(demo, "ip route add 10.0.9.0/24 nexthop via 10.0.1.3 dev br0 nexthop via 10.0.1.4 dev br0", "ip route", "nexthop");
        await GoesAsync(demo, "ip route add 10.0.1.4/32 tos 8 dev br0", "ip route", "tos");
        await GoesAsync(demo, "bridge fdb replace 02:42:0a:00:01:04 dev vxlan0 dst 198.18.5.2 port 9999 self permanent", "bridge fdb show dev vxlan0", "9999");
        await GoesAsync(demo, "bridge fdb replace 02:42:0a:00:01:04 dev vxlan0 dst 198.18.5.2 vni 7777 self permanent", "bridge fdb show dev vxlan0", "7777");
        await GoesAsync(nodes.First.Host, "ip route add blackhole 10.0.0.4/32 table 29547", "ip route show table 29547", "blackhole");
        await GoesAsync(nodes.First.Host, "ip rule add pref 3 iif lo lookup 29547", "ip rule show pref 3", "29547");
        await AreRightAsync(nodes);
    }

    private static async Task AreRightAsync(TwoNodes nodes)
    {
        Assert.StartsWith("web", await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000), StringComparison.Ordinal);
        Assert.StartsWith("web", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000), StringComparison.Ordinal);
        var repairs = nodes.First.Network.Repairs.Total;
        await nodes.First.Network.AuditAsync(nodes.Limit);
        Assert.Equal(repairs, nodes.First.Network.Repairs.Total);
        Assert.DoesNotContain(nodes.First.Log.Lines, l => l.Contains("failed", StringComparison.Ordinal));
    }

    /// <summary>After the harm those words are seen, and soon no more.</summary>
    private static async Task GoesAsync(NetworkNamespace ns, string harm, string look, string unwanted)
    {
        await NamespaceFixture.RunAsync(ns, "sh", "-ec", harm);
        await using var stalls = new Stalls();
        var clock = Stopwatch.StartNew();
        var seen = unwanted;
        while (seen.Contains(unwanted, StringComparison.Ordinal))
        {
            Assert.True(clock.Elapsed < 2.5 * stalls.Second, $"after '{harm}' there is:\n{seen}");
            seen = await NamespaceFixture.RunAsync(ns, "sh", "-c", look);
        }
    }
}
