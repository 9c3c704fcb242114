using System.Collections.Immutable;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Model.Plans;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Balancing as services' labels ask for it, with real packets: the same by VIP and by published port.</summary>
public sealed class BalancePolicyTests
{
    [Fact]
    public async Task A_canary_gets_its_weight_of_the_flows_in_the_same_order_by_vip_and_by_published_port()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var balance = new PlanBalance(BalanceMode.RoundRobin, 3) { Members = [new PlanMember("canary", 1)] };
        await nodes.ApplyAsync(Policy(2, balance, web2: "canary"));
        string[] turns = ["web1", "web1", "web2", "web1", "web1", "web1", "web2", "web1"];
        Assert.Equal(turns, await AskAsync(nodes, nodes.Caller, "10.0.1.2", 3000, turns.Length));
        Assert.Equal(turns, await AskAsync(nodes, nodes.Client, "198.18.5.2", 8000, turns.Length));

        // Without the label the canary serves nobody but those that ask for itself.
        await nodes.ApplyAsync(Policy(3, null, web2: "canary"));
        Assert.Equal(["web1", "web1", "web1"], await AskAsync(nodes, nodes.Caller, "10.0.1.2", 3000, 3));
    }

    [Fact]
    public async Task A_client_comes_back_to_its_own_backend_until_that_is_gone()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var balance = new PlanBalance(BalanceMode.Source) { AffinitySeconds = 5400 };
        await nodes.ApplyAsync(Policy(2, balance));
        var mesh = Assert.Single((await AskAsync(nodes, nodes.Client, "198.18.5.2", 8000, 6)).Distinct());
        var caller = Assert.Single((await AskAsync(nodes, nodes.Caller, "10.0.1.2", 3000, 6)).Distinct());

        // A new client is served in turn: by the other one.
        var other = Assert.Single((await AskAsync(nodes, nodes.Web1, "10.0.1.2", 3000, 6)).Distinct());
        Assert.NotEqual(caller, other);
        var table = await NamespaceFixture.RunAsync(nodes.Second.Host, "nft", "list", "table", "ip", "skep-service-web");
        Assert.Contains("timeout 1h30m", table, StringComparison.Ordinal);
        Assert.Contains("198.18.5.9 ", table, StringComparison.Ordinal);

        // Nothing is repaired that packets have filled in.
        nodes.Second.Log.Clear();
        await nodes.ApplyAsync(Policy(3, balance));
        Assert.Equal([mesh, mesh], await AskAsync(nodes, nodes.Client, "198.18.5.2", 8000, 2));

        var (web1, web2) = mesh == "web1" ? (EndpointState.Draining, EndpointState.Active) : (EndpointState.Active, EndpointState.Draining);
        await nodes.ApplyAsync(Policy(4, balance, state1: web1, state2: web2));
        Assert.DoesNotContain(mesh, await AskAsync(nodes, nodes.Client, "198.18.5.2", 8000, 3));
        Assert.Empty(nodes.Second.Log.Repairs);

        await nodes.ApplyAsync(Policy(5, balance, state1: EndpointState.Draining, state2: EndpointState.Draining));
        await RefusedAsync(nodes, nodes.Client, "198.18.5.2", 8000);
        await RefusedAsync(nodes, nodes.Caller, "10.0.1.2", 3000);
    }

    [Fact]
    public async Task Local_first_stays_on_the_node_while_it_has_a_backend()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var balance = new PlanBalance(BalanceMode.LocalFirst);
        await nodes.ApplyAsync(Policy(2, balance));
        Assert.Equal(["web1", "web1", "web1"], await AskAsync(nodes, nodes.Caller, "10.0.1.2", 3000, 3));
        Assert.Equal(["web1", "web1"], await AskAsync(nodes, nodes.Client, "198.18.5.1", 8000, 2));
        Assert.Equal(["web2", "web2"], await AskAsync(nodes, nodes.Client, "198.18.5.2", 8000, 2));

        await nodes.ApplyAsync(Policy(3, balance, state1: EndpointState.Draining));
        Assert.Equal(["web2", "web2"], await AskAsync(nodes, nodes.Caller, "10.0.1.2", 3000, 2));
        Assert.Equal(["web2"], await AskAsync(nodes, nodes.Client, "198.18.5.1", 8000, 1));
    }

    [Fact]
    public async Task Random_reaches_everybody_in_no_order()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await nodes.ApplyAsync(Policy(2, new PlanBalance(BalanceMode.Random)));
        foreach (var (from, address, port) in new[] { (nodes.Caller, "10.0.1.2", 3000), (nodes.Client, "198.18.5.1", 8000) })
        {
            var turns = await AskAsync(nodes, from, address, port, 48);
            Assert.Equal(2, turns.Distinct().Count());
            Assert.Contains(Enumerable.Range(1, 47), i => turns[i] == turns[i - 1]);
        }

        // In turn again, the table of its own is gone.
        await nodes.ApplyAsync(Policy(3, null));
        var again = await AskAsync(nodes, nodes.Caller, "10.0.1.2", 3000, 6);
        Assert.All(Enumerable.Range(1, 5), i => Assert.NotEqual(again[i], again[i - 1]));
        Assert.DoesNotContain("skep-service-web", await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "list", "tables"), StringComparison.Ordinal);
    }

    private static NodePlan Policy(
        ulong revision, PlanBalance? balance, string web2 = "web", EndpointState state1 = EndpointState.Active, EndpointState state2 = EndpointState.Active)
    {
        var plan = TwoNodes.Plan(revision, state1, state2);
        return plan with
        {
            Networks = plan.Networks.ToImmutableDictionary(p => p.Key, p => p.Value with
            {
                Services = p.Value.Services.SetItem("web", p.Value.Services["web"] with { Balance = balance }),
                Endpoints = p.Value.Endpoints.SetItem("web2", p.Value.Endpoints["web2"] with { ServiceId = web2 }),
            }),
        };
    }

    internal static async Task<List<string>> AskAsync(TwoNodes nodes, NetworkNamespace from, string address, int port, int times)
    {
        var answers = new List<string>();
        for (var i = 0; i < times; i++)
        {
            answers.Add((await nodes.AskAsync(from, address, port)).Split(' ')[0]);
        }

        return answers;
    }

    internal static async Task RefusedAsync(TwoNodes nodes, NetworkNamespace from, string address, int port) =>
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => nodes.AskAsync(from, address, port))).SocketErrorCode);
}
