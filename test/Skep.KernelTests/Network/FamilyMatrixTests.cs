using System.Net.Sockets;
using Skep.Kernel.Routes;
using Skep.Model.Plans;
using Skep.Testing.Dns;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>IPv6 as an equal: every cell of {underlay} × {network} × {family} × {protocol}, with real packets, as a table in the output.</summary>
public sealed class FamilyMatrixTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task Vips_tasks_and_names_work_in_both_families_over_both_underlays(AddressFamily underlay)
    {
        await using var nodes = await FamilyNodes.StartAsync(underlay);
        var table = new ShownTable(output, $"who answers over an underlay of {Text(underlay)}");
        table.Line($"{"underlay",-9}{"network",-8}{"family",-7}{"VIP TCP",-12}{"VIP UDP",-12}{"task TCP",-9}{"task UDP",-9}{"own VIP",-8}{"names",-6}");
        foreach (var network in new[] { FamilyNodes.Four, FamilyNodes.Six, FamilyNodes.Both })
        {
            foreach (var family in FamilyNodes.FamiliesOf(network))
            {
                string[] cells =
                [
                    await VipAsync(nodes, network, family, ProtocolType.Tcp), await VipAsync(nodes, network, family, ProtocolType.Udp),
                    await TaskAsync(nodes, network, family, ProtocolType.Tcp), await TaskAsync(nodes, network, family, ProtocolType.Udp),
                    await OwnVipAsync(nodes, network, family), await NamesAsync(nodes, network, family),
                ];
                table.Line($"{Text(underlay),-9}{network.Name,-8}{Text(family),-7}{cells[0],-12}{cells[1],-12}{cells[2],-9}{cells[3],-9}{cells[4],-8}{cells[5],-6}");
            }
        }

        Assert.Empty(nodes.First.Log.Repairs.Concat(nodes.Second.Log.Repairs));
        using var routes = RouteNetlink.Open(nodes.Caller);
        Assert.Equal(underlay == AddressFamily.InterNetwork ? 1450 : 1430, routes.FindLink("eth2")!.Mtu);
        Assert.Equal("02:42:0a:00:09:05", routes.FindLink("eth2")!.Mac);
    }

    [Fact]
    public async Task A_host_with_IPv6_lets_its_containers_out_and_publishes_their_ports_in_it()
    {
        await using var nodes = await FamilyNodes.StartAsync(AddressFamily.InterNetworkV6);
        string[] seen =
        [
            await nodes.AskAsync(nodes.Caller, "fd06::2", ProtocolType.Tcp, 8080),
            await nodes.AskAsync(nodes.First.Host, "fd06::2", ProtocolType.Tcp, 8080),
            await nodes.AskAsync(nodes.Second.Host, "fd06::2", ProtocolType.Tcp, 8080),
            await nodes.AskAsync(nodes.Second.Host, "::1", ProtocolType.Tcp, 8080),
        ];
        Assert.Equal(["web2 fd06::1", "web2 fd06::1"], seen[..2]);
        Assert.All(seen[2..], s => Assert.StartsWith("web2 fd", s, StringComparison.Ordinal));

        // No way from container to container by the gateway bridge but what is published.
        var bridge = nodes.First.Network.DescribeGatewayBridge()!;
        var other = bridge.Endpoints.Single(e => e.Key == TestNode.ContainerOf("web1")).Address6.Split('/')[0];
        Assert.StartsWith("fd", other, StringComparison.Ordinal);
        await Silence.OfAsync(() => nodes.AskAsync(nodes.Caller, other, ProtocolType.Tcp));
    }

    [Fact]
    public async Task A_host_without_IPv6_addresses_gives_its_containers_none_on_the_gateway()
    {
        await using var nodes = await FamilyNodes.StartAsync(AddressFamily.InterNetwork);
        Assert.Equal("", nodes.First.Network.DescribeGatewayBridge()!.Subnet6);
        Assert.DoesNotContain("inet6", await NamespaceFixture.RunAsync(nodes.Caller, "ip", "addr", "show", "dev", "eth3"), StringComparison.Ordinal);
        Assert.DoesNotContain("default", await NamespaceFixture.RunAsync(nodes.Caller, "ip", "-6", "route"), StringComparison.Ordinal);
    }

    /// <summary>Both backends in turn, and each sees the caller's own address.</summary>
    private static async Task<string> VipAsync(FamilyNodes nodes, PlanNetwork network, AddressFamily family, ProtocolType protocol)
    {
        var (vip, caller) = (FamilyNodes.AddressOn(network, family, 2), FamilyNodes.AddressOn(network, family, 5));
        var answers = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            answers.Add(await nodes.AskAsync(nodes.Caller, vip, protocol));
        }

        Assert.Equal([$"web1 {caller}", $"web1 {caller}", $"web2 {caller}", $"web2 {caller}"], answers.Order());
        Assert.NotEqual(answers[0], answers[1]);
        return "in turn";
    }

    /// <summary>The task on the other machine and the one on this, by their own addresses.</summary>
    private static async Task<string> TaskAsync(FamilyNodes nodes, PlanNetwork network, AddressFamily family, ProtocolType protocol)
    {
        var caller = FamilyNodes.AddressOn(network, family, 5);
        Assert.Equal($"web1 {caller}", await nodes.AskAsync(nodes.Caller, FamilyNodes.AddressOn(network, family, 3), protocol));
        Assert.Equal($"web2 {caller}", await nodes.AskAsync(nodes.Caller, FamilyNodes.AddressOn(network, family, 4), protocol));
        return "ok";
    }

    /// <summary>A task that is its own VIP's backend answers itself, and the VIP answers to ping.</summary>
    private static async Task<string> OwnVipAsync(FamilyNodes nodes, PlanNetwork network, AddressFamily family)
    {
        var vip = FamilyNodes.AddressOn(network, family, 2);
        string[] answers = [await nodes.AskAsync(nodes.Web1, vip, ProtocolType.Tcp), await nodes.AskAsync(nodes.Web1, vip, ProtocolType.Tcp)];
        Assert.Equal(["web1", "web2"], answers.Select(a => a.Split(' ')[0]).Order());
        Assert.Contains("1 received", await NamespaceFixture.RunAsync(nodes.Caller, "ping", "-c1", "-W2", vip), StringComparison.Ordinal);
        return "ok";
    }

    private static async Task<string> NamesAsync(FamilyNodes nodes, PlanNetwork network, AddressFamily family)
    {
        var (own, other) = family == AddressFamily.InterNetwork ? (DnsMessage.A, DnsMessage.Aaaa) : (DnsMessage.Aaaa, DnsMessage.A);
        var vip = FamilyNodes.AddressOn(network, family, 2);
        Assert.Equal([vip], await nodes.NameAsync($"web.{network.Name}", own));
        Assert.Equal(
            new[] { FamilyNodes.AddressOn(network, family, 3), FamilyNodes.AddressOn(network, family, 4) },
            (await nodes.NameAsync($"tasks.web.{network.Name}", own)).Order());
        if (FamilyNodes.FamiliesOf(network).Count() == 1)
        {
            Assert.Empty(await nodes.NameAsync($"web.{network.Name}", other));
        }

        Assert.Equal([$"web.{network.Name}"], await nodes.NameAsync(Reverse(vip), DnsMessage.Ptr));
        return "ok";
    }

    private static string Reverse(string address)
    {
        var ip = System.Net.IPAddress.Parse(address);
        return ip.AddressFamily == AddressFamily.InterNetwork
            ? string.Join('.', address.Split('.').Reverse()) + ".in-addr.arpa"
            : string.Join('.', Convert.ToHexStringLower(ip.GetAddressBytes()).Reverse()) + ".ip6.arpa";
    }

    private static string Text(AddressFamily family) => family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
}
