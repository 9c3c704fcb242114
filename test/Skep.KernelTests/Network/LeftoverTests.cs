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
