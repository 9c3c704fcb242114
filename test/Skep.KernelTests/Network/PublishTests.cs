using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Who may reach published ports, and where; and many ports at once.</summary>
public sealed class PublishTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Only_the_nodes_that_the_plan_names_listen()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(1, 65535) { Nodes = ["node2"] }));
        await BalancePolicyTests.RefusedAsync(nodes, nodes.Client, "198.18.5.1", 8000);
        await BalancePolicyTests.RefusedAsync(nodes, nodes.First.Host, "127.0.0.1", 8000);
        Assert.Equal("web1 198.18.5.9", await nodes.AskAsync(nodes.Client, "198.18.5.2", 8000));

        // A program of the first node's own may have the port, once no child of this process has a copy of the socket that held it.
        ForkedCopies.WaitOut();
        nodes.Serve(nodes.First.Host, "host", 8000);
        Assert.Equal("host 198.18.5.9", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
    }

    [Fact]
    public async Task Only_the_local_addresses_that_the_plan_names_listen()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(8000, 8000) { Addresses = ["127.0.0.0/8", "2001:db8::/32"] }));
        await BalancePolicyTests.RefusedAsync(nodes, nodes.Client, "198.18.5.1", 8000);
        Assert.Equal("web1 10.0.0.11", await nodes.AskAsync(nodes.First.Host, "127.0.0.1", 8000));

        await nodes.ApplyAsync(Access(3, new PlanPortAccess(8000, 8000) { Addresses = ["198.18.5.1/32"] }));
        Assert.StartsWith("web", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000), StringComparison.Ordinal);
        await BalancePolicyTests.RefusedAsync(nodes, nodes.Client, "198.18.5.2", 8000);
        await BalancePolicyTests.RefusedAsync(nodes, nodes.First.Host, "127.0.0.1", 8000);
    }

    [Fact]
    public async Task Only_clients_of_the_ranges_that_the_plan_names_find_somebody_listening()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(8000, 8000) { Sources = ["198.18.5.8/30", "10.0.0.0/8"] }));
        Assert.Equal("web1 198.18.5.9", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
        await BalancePolicyTests.RefusedAsync(nodes, nodes.Second.Host, "198.18.5.1", 8000);
        await BalancePolicyTests.RefusedAsync(nodes, nodes.First.Host, "127.0.0.1", 8000);

        await nodes.ApplyAsync(Access(3, null));
        Assert.StartsWith("web", await nodes.AskAsync(nodes.Second.Host, "198.18.5.1", 8000), StringComparison.Ordinal);
        nodes.First.Log.Clear();
        await nodes.ApplyAsync(Access(4, null));
        Assert.Empty(nodes.First.Log.Differences);
    }

    [Fact]
    public async Task A_thousand_ports_side_by_side_are_one_element_and_one_rule()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var ports = Enumerable.Range(20000, 1000).SelectMany(p => new[] { Port(p, p), Port(p, p) with { Protocol = "udp" } }).Append(Port(8000, 3000)).Append(Port(8001, 3000));
        var before = TimeProvider.System.GetTimestamp();
        await nodes.ApplyAsync(Web(2, s => s with { Ports = [.. ports] }));
        output.WriteLine($"2002 published ports in the kernel of both nodes after {TimeProvider.System.GetElapsedTime(before).TotalMilliseconds:f0} ms");

        var host = await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "list", "table", "ip", "skep");
        Assert.Contains("tcp . 20000-20999", host, StringComparison.Ordinal);
        var rules = (await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "list", "ruleset")).Split('\n').Where(l => Regex.IsMatch(l, "dnat (ip6? )?to ")).ToList();
        output.WriteLine($"the host translates by {rules.Count} rules: {string.Join(" | ", rules.Select(r => r.Trim()))}");
        Assert.Equal(2, rules.Count(r => r.Contains("dport 20000-20999", StringComparison.Ordinal)));
        Assert.InRange(rules.Count, 2, 20);

        foreach (var port in new[] { 20000, 20555, 20999 })
        {
            nodes.Serve(nodes.Web1, "web1", port);
            nodes.Serve(nodes.Web2, "web2", port);
            foreach (var node in new[] { "198.18.5.1", "198.18.5.2" })
            {
                Assert.Matches("^web[12] 198.18.5.9$", await nodes.AskAsync(nodes.Client, node, port));
            }
        }

        Assert.Equal(2, (await BalancePolicyTests.AskAsync(nodes, nodes.Client, "198.18.5.1", 20555, 2)).Distinct().Count());
        Assert.Matches("^web[12] ", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
        Assert.Matches("^web[12] ", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8001));
        await BalancePolicyTests.RefusedAsync(nodes, nodes.Client, "198.18.5.1", 21000);
    }

    [Fact]
    public async Task A_published_port_is_taken_on_every_node_that_listens_and_free_when_it_is_published_no_more()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var udp = Port(5300, 53) with { Protocol = "udp" };
        await nodes.ApplyAsync(Web(2, s => s with { Ports = [Port(8000, 3000), udp], Access = [new PlanPortAccess(8000, 8000) { Addresses = ["198.18.5.0/24"] }] }));
        Assert.Equal(SocketError.AddressAlreadyInUse, Bind(nodes.First.Host, "198.18.5.1", 8000, SocketType.Stream));
        Assert.Equal(SocketError.AddressAlreadyInUse, Bind(nodes.First.Host, "0.0.0.0", 8000, SocketType.Stream));
        Assert.Equal(SocketError.AddressAlreadyInUse, Bind(nodes.Second.Host, "127.0.0.1", 5300, SocketType.Dgram));
        Assert.Equal(SocketError.Success, Bind(nodes.First.Host, "127.0.0.1", 8000, SocketType.Stream));

        await nodes.ApplyAsync(Web(3, s => s with { Ports = [] }));
        // Other tests start processes in this one, each of which has copies of its sockets for a moment.
        ForkedCopies.WaitOut();
        Assert.Equal(SocketError.Success, Bind(nodes.First.Host, "0.0.0.0", 8000, SocketType.Stream));
        Assert.Equal(SocketError.Success, Bind(nodes.First.Host, "0.0.0.0", 5300, SocketType.Dgram));
    }

    [Fact]
    public async Task A_udp_client_that_is_not_let_in_is_told_that_nobody_listens()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var udp = Port(5300, 53) with { Protocol = "udp" };
        await nodes.ApplyAsync(Web(2, s => s with { Ports = [udp], Access = [new PlanPortAccess(1, 65535) { Sources = ["192.0.2.0/24"] }] }));
        using var client = NamespaceFixture.OpenSocket(nodes.Client, SocketType.Dgram, ProtocolType.Udp);
        await client.ConnectAsync(IPEndPoint.Parse("198.18.5.1:5300"), nodes.Limit);
        await client.SendAsync(new byte[] { 1 }, nodes.Limit);
        var refusal = await Assert.ThrowsAsync<SocketException>(async () => await client.ReceiveAsync(new byte[1], nodes.Limit));
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
    }

    [Fact]
    public async Task A_port_that_a_program_has_first_stays_its_own_and_is_served_elsewhere()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var program = Listener(nodes.First.Host, 8022);
        try
        {
            var listeners = await nodes.First.Network.Listeners.WaitAsync(l => l?.Any(p => p.Port == 8022) == true, nodes.Limit);
            Assert.Contains(("tcp", 8022, "busybox"), listeners!.Select(l => (l.Protocol, (int)l.Port, l.Program)));

            await nodes.ApplyAsync(Web(2, s => s with { Ports = [Port(8021, 3000), Port(8022, 3000), Port(8023, 3000)] }));
            Assert.Contains("8022/tcp is published by service web and held by busybox", await nodes.First.Log.LineAsync("8022/tcp", nodes.Limit), StringComparison.Ordinal);
            Assert.Equal("busy", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8022));
            Assert.Matches("^web[12] ", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8021));
            Assert.Matches("^web[12] ", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8023));
            Assert.Matches("^web[12] ", await nodes.AskAsync(nodes.Client, "198.18.5.2", 8022));
        }
        finally
        {
            program.Kill();
        }

        await nodes.First.Log.LineAsync("8022/tcp is free again", nodes.Limit);
        await nodes.ApplyAsync(Web(3, s => s with { Ports = [Port(8021, 3000), Port(8022, 3000), Port(8023, 3000)] }));
        Assert.Matches("^web[12] ", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8022));
        Assert.Equal(SocketError.AddressAlreadyInUse, Bind(nodes.First.Host, "0.0.0.0", 8022, SocketType.Stream));
    }

    [Fact]
    public async Task A_server_is_told_of_though_its_port_is_of_the_ephemeral_range()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var program = Listener(nodes.First.Host, 50051);
        try
        {
            await nodes.First.Network.Listeners.WaitAsync(l => l?.Any(p => (p.Protocol, p.Port, p.Program) == ("tcp", 50051, "busybox")) == true, nodes.Limit);
        }
        finally
        {
            program.Kill();
        }
    }

    [Fact]
    public async Task Which_addresses_are_held_follows_the_hosts_own()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(8000, 8000) { Addresses = ["203.0.113.0/24"] }));
        Assert.Equal(SocketError.Success, Bind(nodes.First.Host, "0.0.0.0", 8000, SocketType.Stream));
        await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "address", "add", "203.0.113.7/32", "dev", "lo");
        await HeldAsync(nodes.First.Host, "203.0.113.7", 8000, nodes.Limit);
        Assert.Equal(SocketError.Success, Bind(nodes.First.Host, "198.18.5.1", 8000, SocketType.Stream));

        await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "address", "del", "203.0.113.7/32", "dev", "lo");
        await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "address", "add", "203.0.113.8/32", "dev", "lo");
        await HeldAsync(nodes.First.Host, "203.0.113.8", 8000, nodes.Limit);
    }

    [Fact]
    public async Task A_host_that_gets_its_first_ipv6_address_late_has_a_gateway_of_that_family_from_then_on()
    {
        await using var nodes = await TwoNodes.StartAsync();
        Assert.DoesNotContain("inet6 fd", await BridgeAsync(), StringComparison.Ordinal);
        var link = (await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "-o", "address", "show", "to", "198.18.5.1")).Split(' ')[1];
        await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "address", "add", "2001:db8::1/64", "dev", link, "nodad");
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!(await BridgeAsync()).Contains("inet6 fd", StringComparison.Ordinal))
        {
            await again.WaitForNextTickAsync(nodes.Limit);
        }

        nodes.First.Log.Clear();
        await nodes.First.Network.AuditAsync(nodes.Limit);
        Assert.Empty(nodes.First.Log.Repairs);

        Task<string> BridgeAsync() => NamespaceFixture.RunAsync(nodes.First.Host, "ip", "-6", "address", "show", "dev", "docker_gwbridge");
    }

    internal static async Task HeldAsync(NetworkNamespace host, string address, int port, CancellationToken limit)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (Bind(host, address, port, SocketType.Stream) != SocketError.AddressAlreadyInUse)
        {
            await again.WaitForNextTickAsync(limit);
        }
    }

    internal static SocketError Bind(NetworkNamespace host, string address, int port, SocketType type)
    {
        using var socket = NamespaceFixture.OpenSocket(
            host, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp, IPAddress.Parse(address).AddressFamily);
        try
        {
            // With SO_REUSEADDR, as servers do; .NET sets it for TCP.
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
            if (type == SocketType.Stream)
            {
                socket.Listen();
            }

            return SocketError.Success;
        }
        catch (SocketException refusal)
        {
            return refusal.SocketErrorCode;
        }
    }

    /// <summary>A program of the host's own that greets with a word.</summary>
    private static Process Listener(NetworkNamespace host, int port)
    {
        var start = new ProcessStartInfo("nsenter");
        foreach (var argument in (string[])[$"--net={host.Origin}", "busybox", "nc", "-ll", "-p", $"{port}", "-e", "busybox", "echo", "busy"])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static PortConfig Port(int published, int target) => new() { PublishedPort = (uint)published, TargetPort = (uint)target };

    private static NodePlan Access(ulong revision, PlanPortAccess? access) => Web(revision, s => s with { Access = access is null ? null : [access] });

    private static NodePlan Web(ulong revision, Func<PlanService, PlanService> change)
    {
        var plan = TwoNodes.Plan(revision);
        var ingress = plan.Networks[TwoNodes.Ingress.Id];
        return plan with
        {
            Networks = plan.Networks.SetItem(TwoNodes.Ingress.Id, ingress with { Services = ingress.Services.SetItem("web", change(ingress.Services["web"])) }),
        };
    }
}
