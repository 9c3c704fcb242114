using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Conntrack;
using Skep.Model.Errors;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>What the walkthroughs show, with real packets between two nodes.</summary>
public sealed class MeshTests
{
    [Fact]
    public async Task A_vip_is_balanced_strictly_in_turn_and_the_backend_sees_the_caller()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var answers = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            answers.Add(await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000));
        }

        Assert.Equal(["web1 10.0.1.5", "web2 10.0.1.5", "web1 10.0.1.5", "web2 10.0.1.5", "web1 10.0.1.5", "web2 10.0.1.5"], answers);
        Assert.Contains("1 received", await NamespaceFixture.RunAsync(nodes.Caller, "ping", "-c1", "-W2", "10.0.1.2"), StringComparison.Ordinal);

        // A task that is its own backend answers itself.
        var own = new[] { await nodes.AskAsync(nodes.Web1, "10.0.1.2", 3000), await nodes.AskAsync(nodes.Web1, "10.0.1.2", 3000) };
        Assert.Contains("web1 10.0.1.1", own);
        Assert.Contains("web2 10.0.1.3", own);
    }

    [Fact]
    public async Task A_published_port_answers_on_every_node_in_turn_and_keeps_the_clients_address()
    {
        await using var nodes = await TwoNodes.StartAsync();
        foreach (var node in new[] { "198.18.5.1", "198.18.5.2" })
        {
            var answers = new[] { await nodes.AskAsync(nodes.Client, node, 8000), await nodes.AskAsync(nodes.Client, node, 8000) };
            Assert.Equal(["web1 198.18.5.9", "web2 198.18.5.9"], answers);
        }

        var own = new[] { await nodes.AskAsync(nodes.First.Host, "198.18.5.1", 8000), await nodes.AskAsync(nodes.First.Host, "198.18.5.1", 8000) };
        Assert.Equal(["web1 198.18.5.1", "web2 198.18.5.1"], own);

        // The loopback's address means nothing to another node; the node's own on the ingress network stands for it.
        var local = new[] { await nodes.AskAsync(nodes.Second.Host, "127.0.0.1", 8000), await nodes.AskAsync(nodes.Second.Host, "127.0.0.1", 8000) };
        Assert.Equal(["web1 10.0.0.12", "web2 10.0.0.12"], local);
        var container = new[] { await nodes.AskAsync(nodes.Caller, "198.18.5.1", 8000), await nodes.AskAsync(nodes.Caller, "198.18.5.1", 8000) };
        Assert.Equal(["web1 10.0.0.11", "web2 10.0.0.11"], container);
    }

    [Fact]
    public async Task Tasks_reach_one_another_over_their_network_only()
    {
        await using var nodes = await TwoNodes.StartAsync();
        Assert.Equal("web2 10.0.1.3", await nodes.AskAsync(nodes.Web1, "10.0.1.4", 3000));
        await Silence.OfAsync(() => nodes.AskAsync(nodes.Web1, "10.0.0.6", 3000));
        await Silence.OfAsync(() => nodes.AskAsync(nodes.Web2, "10.0.0.5", 3000));

        using var sbox = nodes.First.Open("ingress_sbox");
        Assert.Equal("web2 10.0.0.11", await nodes.AskAsync(sbox, "10.0.0.6", 3000));
    }

    [Fact]
    public async Task A_host_reaches_its_own_network_with_the_ingress_networks_addresses_and_its_published_ports_lead_to_the_tasks()
    {
        await using var nodes = await TwoNodes.StartAsync();
        nodes.Serve(nodes.Client, "outside", 9000);
        await NamespaceFixture.RunAsync(nodes.Client, "ip", "address", "add", "10.0.0.6/32", "dev", "lo");
        await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "route", "add", "10.0.0.0/24", "dev", "e0");

        // 10.0.0.6 is a task's too.
        Assert.Equal("outside 198.18.5.1", await nodes.AskAsync(nodes.First.Host, "10.0.0.6", 9000));
        foreach (var from in new[] { nodes.Client, nodes.First.Host, nodes.Caller })
        {
            Assert.Equal(["web1", "web2"], (await BalancePolicyTests.AskAsync(nodes, from, "198.18.5.1", 8000, 2)).Order());
        }

        Assert.Equal(["web1", "web2"], (await BalancePolicyTests.AskAsync(nodes, nodes.First.Host, "127.0.0.1", 8000, 2)).Order());
    }

    [Fact]
    public async Task The_gateway_bridge_leads_outside_and_not_to_other_containers()
    {
        await using var nodes = await TwoNodes.StartAsync();
        nodes.Serve(nodes.Client, "outside", 9000);
        Assert.Equal("outside 198.18.5.1", await nodes.AskAsync(nodes.Caller, "198.18.5.9", 9000));

        var bridge = nodes.First.Network.DescribeGatewayBridge()!;
        var web = bridge.Endpoints.Single(e => e.Key == TestNode.ContainerOf("web1")).Address.Split('/')[0];
        await Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(nodes.Caller, web, 3000));
        Assert.Equal("172.18.0.2/16", bridge.Endpoints.Single(e => e.Key == "ingress-sbox").Address);
    }

    [Fact]
    public async Task A_host_port_leads_to_its_container_and_a_taken_one_is_refused_by_name()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var request = TwoNodes.Request("hosted", null, "10.0.1.9/24") with
        {
            HostPorts = [new PortConfig { PublishedPort = 8080, TargetPort = 3000, PublishMode = "host" }, new PortConfig { TargetPort = 3000, PublishMode = "host" }],
        };
        var sandbox = await nodes.First.Network.AttachAsync(request, nodes.Limit);
        using (var hosted = Skep.Kernel.Namespaces.NetworkNamespace.Open(sandbox.NamespacePath))
        {
            nodes.Serve(hosted, "hosted");
        }

        Assert.Equal("hosted 198.18.5.9", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8080));
        var ephemeral = (int)sandbox.HostPorts[1].PublishedPort!.Value;
        Assert.InRange(ephemeral, 1024, 65535);
        Assert.Equal("hosted 198.18.5.9", await nodes.AskAsync(nodes.Client, "198.18.5.1", ephemeral));
        Assert.Equal("hosted 172.18.0.1", await nodes.AskAsync(nodes.First.Host, "127.0.0.1", 8080));

        using var taken = NamespaceFixture.Listen(nodes.First.Host, 8081);
        var other = TwoNodes.Request("other", null, "10.0.1.10/24") with { HostPorts = [new PortConfig { PublishedPort = 8081, TargetPort = 80, PublishMode = "host" }] };
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => nodes.First.Network.AttachAsync(other, nodes.Limit));
        Assert.Equal(ErrorKind.Conflict, refusal.Kind);
        Assert.Contains("8081", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_draining_backend_keeps_its_flows_and_gets_no_new_ones_and_without_any_the_client_is_refused_at_once()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var mesh = await nodes.ConnectAsync(nodes.Client, "198.18.5.2", 8000);
        using var vip = await nodes.ConnectAsync(nodes.Caller, "10.0.1.2", 3000);
        Assert.StartsWith("web1 ", mesh.Greeting, StringComparison.Ordinal);
        Assert.StartsWith("web1 ", vip.Greeting, StringComparison.Ordinal);

        await nodes.ApplyAsync(TwoNodes.Plan(2, web1: EndpointState.Draining));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("web2 198.18.5.9", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
            Assert.Equal("web2 10.0.1.5", await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000));
        }

        Assert.Equal("still", await mesh.EchoAsync("still", nodes.Limit));
        Assert.Equal("here", await vip.EchoAsync("here", nodes.Limit));

        await nodes.ApplyAsync(TwoNodes.Plan(3, EndpointState.Draining, EndpointState.Draining));
        foreach (var (from, address, port) in new[] { (nodes.Client, "198.18.5.1", 8000), (nodes.Caller, "10.0.1.2", 3000), (nodes.First.Host, "127.0.0.1", 8000) })
        {
            var refusal = await Assert.ThrowsAsync<SocketException>(() => nodes.AskAsync(from, address, port));
            Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        }
    }

    [Fact]
    public async Task Flows_to_an_endpoint_that_is_gone_are_forgotten()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var first = await nodes.ConnectAsync(nodes.Caller, "10.0.1.2", 3000);
        using var second = await nodes.ConnectAsync(nodes.Caller, "10.0.1.2", 3000);
        Assert.Equal("web2 10.0.1.5", second.Greeting);
        using var demo = nodes.First.Open("2-demoxxxxxx");
        using var flows = ConntrackTable.Open(demo);
        var toSecond = new ConntrackFilter { ReplySource = IPAddress.Parse("10.0.1.4"), Protocol = 6 };
        Assert.Single(flows.Entries(toSecond));

        await nodes.ApplyAsync(TwoNodes.Without(TwoNodes.Plan(2), "web2"));
        Assert.Empty(flows.Entries(toSecond));
        Assert.Equal("first", await first.EchoAsync("first", nodes.Limit));
        await Assert.ThrowsAsync<IOException>(() => second.EchoAsync("second", nodes.Limit));
    }

    [Fact]
    public async Task A_node_that_leaves_keeps_nothing_of_ours()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var node = nodes.First;
        await node.Network.RemoveAllAsync(nodes.Limit);
        Assert.DoesNotContain("docker_gwbridge", await NamespaceFixture.RunAsync(node.Host, "ip", "-o", "link"), StringComparison.Ordinal);
        Assert.DoesNotContain("skep", await NamespaceFixture.RunAsync(node.Host, "nft", "list", "ruleset"), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(node.PathOf("")));
        Assert.Null(node.Network.DescribeGatewayBridge());
    }
}
