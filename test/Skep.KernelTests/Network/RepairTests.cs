using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Skep.Testing.Dns;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>What others take away comes back within a second, and a daemon that starts again finds everything right.</summary>
public sealed class RepairTests
{
    [Fact]
    public async Task Whatever_is_taken_away_comes_back_within_a_second()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var node = nodes.First;
        using var overlay = node.Open("1-ingressxxx");
        using var demo = node.Open("2-demoxxxxxx");
        using var sbox = node.Open("ingress_sbox");

        await RepairsAsync(demo, ["ip", "neigh", "del", "10.0.1.4", "dev", "vxlan0"], "ip neigh show dev vxlan0", "10.0.1.4 lladdr 02:42:0a:00:01:04 PERMANENT");
        await RepairsAsync(demo, ["bridge", "fdb", "del", "02:42:0a:00:01:04", "dev", "vxlan0", "self"], "bridge fdb show dev vxlan0", "02:42:0a:00:01:04 dst 198.18.5.2");
        await RepairsAsync(demo, ["ip", "link", "del", "veth0"], "ip -o link show", "veth0@");
        await RepairsAsync(demo, ["ip", "route", "del", "local", "10.0.1.2", "dev", "br0", "table", "local"], "ip route show table local", "local 10.0.1.2 dev br0 proto static");
        await RepairsAsync(demo, ["sysctl", "-w", "net.bridge.bridge-nf-call-iptables=0"], "sysctl net.bridge.bridge-nf-call-iptables", "= 1");
        await RepairsAsync(demo, ["nft", "flush", "ruleset"], "nft list ruleset", "numgen inc mod 2");
        await RepairsAsync(demo, ["nft", "flush", "chain", "ip", "skep-0", "prerouting"], "nft list ruleset", "ip daddr vmap @vips");
        await RepairsAsync(demo, ["nft", "delete", "element", "ip", "skep-0", "backends", "{ 1 }"], "nft list map ip skep-0 backends", "10.0.1.3, ");
        await RepairsAsync(demo, ["nft", "flush", "chain", "ip", "skep-0", "service-web"], "nft list chain ip skep-0 service-web", "map @backends");
        await RepairsAsync(demo, ["nft", "delete", "element", "ip", "skep-0", "vips", "{ 10.0.1.2 }"], "nft list map ip skep-0 vips", "10.0.1.2 : jump service-web");
        await RepairsAsync(overlay, ["bridge", "link", "set", "dev", "veth1", "locked", "off"], "bridge -d link show dev veth1", "locked on");
        await RepairsAsync(overlay, ["bridge", "link", "set", "dev", "veth1", "isolated", "off"], "bridge -d link show dev veth1", "isolated on");
        await RepairsAsync(demo, ["ip", "link", "set", "br0", "type", "bridge", "stp_state", "1"], "ip -d link show br0", "stp_state 0");
        await RepairsAsync(demo, ["bridge", "link", "set", "dev", "veth0", "state", "0"], "bridge link show dev veth0", "state forwarding");
        await RepairsAsync(demo, ["bridge", "link", "set", "dev", "veth0", "bcast_flood", "off"], "bridge -d link show dev veth0", "bcast_flood on");
        await RepairsAsync(nodes.Web1, ["nft", "delete", "table", "netdev", "skep"], "nft list ruleset", "ether daddr set meta mark map @entry-nodes");
        await RepairsAsync(nodes.Web1, ["nft", "flush", "chain", "ip", "skep", "entrance"], "nft list ruleset", "goto datagrams");
        await RepairsAsync(sbox, ["nft", "flush", "ruleset"], "nft list ruleset", "set answering");
        await RepairsAsync(sbox, ["ip", "route", "del", "default"], "ip route", "default via 172.18.0.1");
        await RepairsAsync(node.Host, ["nft", "delete", "table", "ip", "skep"], "nft list ruleset", "@relayed-ports dnat to 172.18.0.2");
        await RepairsAsync(node.Host, ["nft", "delete", "table", "ip", "skep-0"], "nft list ruleset", "tcp . 8000 : jump port-tcp-8000");
        await RepairsAsync(node.Host, ["ip", "link", "del", "skep-ingress"], "ip -d link show skep-ingress", "02:42:8a:00:00:0b");
        await RepairsAsync(node.Host, ["ip", "route", "flush", "table", "29547"], "ip route show table 29547", "10.0.0.0/24 dev skep-ingress");
        await RepairsAsync(node.Host, ["ip", "rule", "del", "fwmark", "0x736b6570"], "ip rule", "fwmark 0x736b6570 lookup 29547");
        await RepairsAsync(overlay, ["bridge", "fdb", "del", "02:42:8a:00:00:0c", "dev", "vxlan0", "self"], "bridge fdb", "02:42:8a:00:00:0c dev vxlan0 dst 198.18.5.2");
        await RepairsAsync(node.Host, ["ip", "link", "del", "docker_gwbridge"], "ip addr show docker_gwbridge", "172.18.0.1/16");

        Assert.Equal("web1 198.18.5.9", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
        Assert.Equal("web2 198.18.5.9", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
        Assert.StartsWith("web", await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000), StringComparison.Ordinal);
        Assert.Contains(node.Log.Repairs, l => l.Contains("neighbour 10.0.1.4 on vxlan0", StringComparison.Ordinal));
        Assert.Contains(node.Log.Repairs, l => l.Contains("table ip skep: it was missing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_daemon_that_starts_again_changes_nothing_and_live_flows_go_on()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var mesh = await nodes.ConnectAsync(nodes.Client, "198.18.5.1", 8000);
        using var vip = await nodes.ConnectAsync(nodes.Caller, "10.0.1.2", 3000);
        await nodes.First.UntilRetriedAsync("", "tcp . 8000", nodes.Limit);
        await nodes.First.UntilRetriedAsync("2-demoxxxxxx", "10.0.1.2 . tcp . 3000", nodes.Limit);
        var before = await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "-o", "link");

        await nodes.First.StopAsync();
        Assert.Equal("alone", await mesh.EchoAsync("alone", nodes.Limit));
        nodes.First.Log.Clear();
        nodes.First.Start();
        await nodes.First.ApplyAsync(TwoNodes.Plan(1), nodes.Limit);
        await nodes.AttachAllAsync();
        await nodes.First.Network.RetainAsync(new HashSet<string> { TestNode.ContainerOf("web1"), TestNode.ContainerOf("caller") }, nodes.Limit);

        Assert.Empty(nodes.First.Log.Differences);
        Assert.Equal(before, await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "-o", "link"));
        Assert.Equal("mesh", await mesh.EchoAsync("mesh", nodes.Limit));
        Assert.Equal("vip", await vip.EchoAsync("vip", nodes.Limit));

        await nodes.First.Network.RetainAsync(new HashSet<string> { TestNode.ContainerOf("web1") }, nodes.Limit);
        Assert.False(File.Exists(nodes.First.PathOf(TestNode.ContainerOf("caller")[..12])));
    }

    [Fact]
    public async Task After_a_restart_names_are_back_before_any_container_is_attached_again()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var socket = NamespaceFixture.OpenSocket(nodes.Caller, SocketType.Dgram, ProtocolType.Udp);
        var (server, query) = (new IPEndPoint(IPAddress.Parse("127.0.0.11"), 53), DnsMessage.Query("web", DnsMessage.A));
        Assert.Equal(["10.0.1.2"], (await DnsAsker.AskAsync(socket, server, query, nodes.Limit)).Texts);

        var away = Stopwatch.StartNew();
        await nodes.First.StopAsync();
        nodes.First.Start();
        await nodes.First.ApplyAsync(TwoNodes.Plan(1), nodes.Limit);
        var answer = DnsAsker.AskAsync(socket, server, query, nodes.Limit);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!answer.IsCompleted && await again.WaitForNextTickAsync(nodes.Limit))
        {
            await socket.SendAsync(query, nodes.Limit);
        }

        Assert.Equal(["10.0.1.2"], (await answer).Texts);
        TestContext.Current.TestOutputHelper?.WriteLine($"names were away for {away.Elapsed.TotalMilliseconds:0} ms");
    }

    [Fact]
    public async Task A_task_that_throws_its_rules_away_is_told_names_again()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await RepairsAsync(nodes.Caller, ["nft", "flush", "ruleset"], "nft list ruleset", "udp dport set 61053");
        using var socket = NamespaceFixture.OpenSocket(nodes.Caller, SocketType.Dgram, ProtocolType.Udp);
        var (server, query) = (new IPEndPoint(IPAddress.Parse("127.0.0.11"), 53), DnsMessage.Query("web", DnsMessage.A));
        Assert.Equal(["10.0.1.2"], (await DnsAsker.AskAsync(socket, server, query, nodes.Limit)).Texts);
    }

    [Fact]
    public async Task A_networks_namespace_that_was_unmounted_is_made_anew()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var path = nodes.First.PathOf("2-demoxxxxxx");
        Assert.True(Skep.Kernel.Namespaces.NetworkNamespace.Delete(path));
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                Assert.Equal("web2 10.0.1.5", await nodes.AskAsync(nodes.Caller, "10.0.1.4", 3000));
                return;
            }
            catch (Exception failure) when (failure is OperationCanceledException or System.Net.Sockets.SocketException && clock.Elapsed < TimeSpan.FromSeconds(12))
            {
            }
        }
    }

    private static async Task RepairsAsync(Skep.Kernel.Namespaces.NetworkNamespace ns, string[] harm, string look, string expected)
    {
        await NamespaceFixture.RunAsync(ns, harm[0], harm[1..]);
        var words = look.Split(' ');
        await using var stalls = new Stalls();
        var clock = Stopwatch.StartNew();
        var seen = "";
        while (clock.Elapsed < 2.5 * stalls.Second)
        {
            try
            {
                seen = await NamespaceFixture.RunAsync(ns, words[0], words[1..]);
            }
            catch (InvalidOperationException missing)
            {
                seen = missing.Message;
            }

            if (seen.Contains(expected, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"after '{string.Join(' ', harm)}' there is no '{expected}' in:\n{seen}");
    }
}
