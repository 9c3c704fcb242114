using Skep.Model.Plans;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Tables of single services that a daemon left which did not live to remove them.</summary>
public sealed class LeftoverTests
{
    [Fact]
    public async Task Tables_of_services_that_nobody_wants_any_more_go_with_the_first_look_and_wanted_ones_stay_as_they_are()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var source = new PlanBalance(BalanceMode.Source) { AffinitySeconds = 600 };
        await nodes.ApplyAsync(Plan(2, web: new PlanBalance(BalanceMode.Random), api: source));
        var backend = (await nodes.AskAsync(nodes.Caller, "10.0.1.20", 3000)).Split(' ')[0];
        using var flow = await nodes.ConnectAsync(nodes.Caller, "10.0.1.20", 3000);
        var (wanted, tables) = await TablesAsync(nodes);
        Assert.Equal(["skep-service-api", "skep-service-web"], tables.Distinct());

        // The daemon is gone, without the plan that it would have saved, and had begun a table for a service that has ended since.
        await nodes.First.StopAsync();
        File.Delete(Path.Combine(nodes.First.Folder, "network-plan.json"));
        using var overlay = nodes.First.Open("2-demoxxxxxx");
        foreach (var ns in new[] { nodes.First.Host, overlay })
        {
            await NamespaceFixture.RunAsync(ns, "nft", "add table ip skep-service-old; add chain ip skep-service-old prerouting { type nat hook prerouting priority dstnat - 5; }; add rule ip skep-service-old prerouting tcp dport { 3000, 8000 } dnat to 10.0.1.99");
        }

        await Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000));
        Assert.Equal("still", await flow.EchoAsync("still", nodes.Limit));
        nodes.First.Start();
        await nodes.ApplyAsync(Plan(3, web: null, api: source));
        var (kept, after) = await TablesAsync(nodes);
        Assert.Equal(["skep-service-api"], after.Distinct());
        Assert.Equal(wanted, kept);

        Assert.Equal("here", await flow.EchoAsync("here", nodes.Limit));
        Assert.Equal(backend, (await nodes.AskAsync(nodes.Caller, "10.0.1.20", 3000)).Split(' ')[0]);
        foreach (var (from, address, port) in new[] { (nodes.Caller, "10.0.1.2", 3000), (nodes.Client, "198.18.5.1", 8000) })
        {
            Assert.Equal(["web1", "web2"], (await BalancePolicyTests.AskAsync(nodes, from, address, port, 2)).Order());
        }
    }

    [Fact]
    public async Task A_tunnel_that_was_being_made_goes_with_a_sweep_and_the_way_of_late_answers_when_the_node_leaves()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var node = nodes.First;
        foreach (var name in new[] { "vx-00abcd", "vx-00abce-demox" })
        {
            await NamespaceFixture.RunAsync(node.Host, "ip", "link", "add", name, "type", "vxlan", "external", "dstport", name.Length > 9 ? "4801" : "4802");
        }

        await NamespaceFixture.RunAsync(node.Host, "nft", "add", "table", "ip", "skep_late");
        await node.Network.RetainAsync(new HashSet<string> { TestNode.ContainerOf("web1"), TestNode.ContainerOf("caller") }, nodes.Limit);
        var links = await NamespaceFixture.RunAsync(node.Host, "ip", "-br", "link");
        Assert.DoesNotContain("vx-00abcd", links, StringComparison.Ordinal);
        Assert.Contains("vx-00abce-demox", links, StringComparison.Ordinal);
        Assert.Contains("skep_late", await NamespaceFixture.RunAsync(node.Host, "nft", "list", "tables"), StringComparison.Ordinal);
        await node.Network.RemoveAllAsync(nodes.Limit);
        Assert.Empty(await NamespaceFixture.RunAsync(node.Host, "nft", "list", "tables"));
    }

    [Fact]
    public async Task Settings_that_a_killed_daemon_had_not_given_yet_are_given_and_what_the_owner_made_of_them_stays()
    {
        await using var nodes = await TwoNodes.StartAsync();
        foreach (var given in new[] { true, false })
        {
            await nodes.First.StopAsync();
            await NamespaceFixture.RunAsync(nodes.Web1, "sh", "-ec", $"sysctl -qw net.ipv4.tcp_fwmark_accept=0{(given ? "" : "; ip link set eth0 alias ''")}");
            nodes.First.Start();
            await nodes.ApplyAsync(TwoNodes.Plan(given ? 2u : 3u));
            await nodes.First.Network.AuditAsync(nodes.Limit);
            Assert.Equal(given ? "0" : "1", (await NamespaceFixture.RunAsync(nodes.Web1, "sysctl", "-n", "net.ipv4.tcp_fwmark_accept")).Trim());
        }
    }

    /// <summary>The table that is wanted all the time, with its handles, and the names of all of single services.</summary>
    private static async Task<(string Wanted, string[] Names)> TablesAsync(TwoNodes nodes)
    {
        using var demo = nodes.First.Open("2-demoxxxxxx");
        var names = (await NamespaceFixture.RunAsync(demo, "nft", "list", "tables") + await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "list", "tables"))
            .Split(['\n', ' ']).Where(n => n.StartsWith("skep-service-", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        // Without what packets have filled in.
        return (await NamespaceFixture.RunAsync(demo, "nft", "-a", "-s", "-t", "list", "table", "ip", "skep-service-api"), [.. names]);
    }

    private static NodePlan Plan(ulong revision, PlanBalance? web, PlanBalance? api)
    {
        var plan = TwoNodes.Plan(revision);
        var (ingress, demo) = (plan.Networks[TwoNodes.Ingress.Id], plan.Networks[TwoNodes.Demo.Id]);
        var other = new PlanService(TwoNodes.Demo.Id, "api", "api", ["10.0.1.20/24"]) { Balance = api! with { Members = [new PlanMember("web", 1)] } };
        return plan with
        {
            Networks = plan.Networks
                .SetItem(TwoNodes.Ingress.Id, ingress with { Services = ingress.Services.SetItem("web", ingress.Services["web"] with { Balance = web }) })
                .SetItem(TwoNodes.Demo.Id, demo with { Services = demo.Services.SetItem("web", demo.Services["web"] with { Balance = web }).Add("api", other) }),
        };
    }
}
