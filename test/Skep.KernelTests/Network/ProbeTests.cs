using System.Diagnostics;
using System.Globalization;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Namespaces;
using Skep.Network.Probes;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>What a node finds out about the ways to the others, with real tunnels over a wire that is cut, narrowed and spoilt.</summary>
public sealed class ProbeTests
{
    [Fact]
    public async Task A_node_whose_cable_is_pulled_gets_nothing_new_within_a_second_and_is_back_with_its_first_answer()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Answers == true, nodes.Limit);
        using var flow = await nodes.ConnectAsync(nodes.Caller, "10.0.1.4", 3000);

        await NamespaceFixture.RunAsync(nodes.Lan, "ip", "link", "set", "node2", "down");
        var cut = Stopwatch.StartNew();
        // Requests of all the time from the cut on: whoever met the dead node has its SYN sent again after one, three and seven seconds,
        // to another backend as soon as that node is known to be silent.
        var asked = Enumerable.Range(0, 4).Select(i => i % 2 == 0
            ? PatientAsync(nodes, nodes.Caller, "10.0.1.2", 3000)
            : PatientAsync(nodes, nodes.Client, "198.18.5.1", 8000)).ToList();
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Answers == false, nodes.Limit);
        TestContext.Current.TestOutputHelper?.WriteLine($"silent after {cut.Elapsed.TotalMilliseconds:0} ms");
        Assert.All(await Task.WhenAll(asked), answer => Assert.StartsWith("web1 ", answer.Greeting, StringComparison.Ordinal));
        Assert.Contains(nodes.First.Log.Lines, l => l.Contains("Node node2 does not answer through the tunnel", StringComparison.Ordinal));

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(("web1 10.0.1.5", 0), await PatientAsync(nodes, nodes.Caller, "10.0.1.2", 3000));
            Assert.Equal(("web1 198.18.5.9", 0), await PatientAsync(nodes, nodes.Client, "198.18.5.1", 8000));
        }

        await NamespaceFixture.RunAsync(nodes.Lan, "ip", "link", "set", "node2", "up");
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Answers == true, nodes.Limit);
        var heard = new HashSet<string>(StringComparer.Ordinal);
        while (heard.Count < 2)
        {
            heard.Add(await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000));
        }

        Assert.Equal("stands", await flow.EchoAsync("stands", nodes.Limit));
    }

    [Fact]
    public async Task A_daemon_that_starts_again_sends_a_dead_node_nothing_until_that_answers()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Answers == true, nodes.Limit);
        await NamespaceFixture.RunAsync(nodes.Lan, "ip", "link", "set", "node2", "down");
        await nodes.First.Log.LineAsync("Node node2 does not answer through the tunnel", nodes.Limit);

        await nodes.First.StopAsync();
        nodes.First.Start();
        await nodes.First.ApplyAsync(TwoNodes.Plan(2), nodes.Limit);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(("web1 10.0.1.5", 0), await PatientAsync(nodes, nodes.Caller, "10.0.1.2", 3000));
        }

        await NamespaceFixture.RunAsync(nodes.Lan, "ip", "link", "set", "node2", "up");
        var heard = new HashSet<string>(StringComparer.Ordinal);
        while (heard.Count < 2)
        {
            heard.Add(await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_port_of_a_connection_that_ended_with_its_node_leads_elsewhere_when_it_is_taken_again(bool byVip)
    {
        await using var nodes = await TwoNodes.StartAsync();
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Answers == true, nodes.Limit);
        var (from, address, port) = byVip ? (nodes.Caller, "10.0.1.2", 3000) : (nodes.Client, "198.18.5.1", 8000);

        // Reset by its client: for ten seconds the kernel would lead a SYN from that port to the same backend.
        ushort own = 40_000;
        while (!(await nodes.ConnectAsync(from, address, port, TimeSpan.FromSeconds(15), ++own)).Reset().StartsWith("web2 ", StringComparison.Ordinal))
        {
        }

        await NamespaceFixture.RunAsync(nodes.Lan, "ip", "link", "set", "node2", "down");
        var reset = Stopwatch.StartNew();
        await nodes.First.Log.LineAsync("Node node2 does not answer through the tunnel", nodes.Limit);
        using var space = byVip ? nodes.First.Open("2-demoxxxxxx") : NetworkNamespace.Open(nodes.First.Host.Origin);
        using var flows = ConntrackTable.Open(space);
        await UntilAsync(() => flows.Entries().All(f => f.Original.SourcePort != own), nodes.Limit);
        Assert.True(reset.Elapsed < TimeSpan.FromSeconds(8), "forgotten by the kernel itself");

        using var again = await nodes.ConnectAsync(from, address, port, TimeSpan.FromSeconds(15), own);
        Assert.StartsWith("web1 ", again.Greeting, StringComparison.Ordinal);
        Assert.Equal(0, again.Resent);
    }

    // The greeting, and how often something had to be sent again.
    private static async Task<(string Greeting, int Resent)> PatientAsync(TwoNodes nodes, NetworkNamespace from, string address, int port)
    {
        using var flow = await nodes.ConnectAsync(from, address, port, TimeSpan.FromSeconds(15));
        return (flow.Greeting, flow.Resent);
    }

    [Fact]
    public async Task A_node_without_its_daemon_is_no_dead_node()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Answers == true, nodes.Limit);
        await nodes.Second.StopAsync();

        // Its kernel answers on.
        using var sandbox = nodes.Second.Open("ingress_sbox");
        var before = await EchoesAsync(sandbox);
        while (await EchoesAsync(sandbox) < before + 8)
        {
            Assert.True(WayTo(nodes.First, "node2")?.Answers);
        }

        Assert.Empty(nodes.First.Network.Findings.Value);
        nodes.Second.Start();
    }

    [Fact]
    public async Task The_overlays_mtu_is_what_the_way_carries_and_follows_it()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var demo = nodes.First.Open("2-demoxxxxxx");
        await nodes.WidthAsync("node2", 1400);
        await nodes.HasMtuAsync(demo, "br0", 1350);
        await nodes.HasMtuAsync(demo, "vxlan0", 1350);
        await nodes.HasMtuAsync(nodes.Caller, "eth0", 1350);
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Mtu == 1400, nodes.Limit);
        Assert.Contains(nodes.First.Log.Lines, l => l.Contains("Packets to node node2 may have 1400 bytes; before it was 1500", StringComparison.Ordinal));
        using var flow = await nodes.ConnectAsync(nodes.Caller, "10.0.1.4", 3000);
        var line = new string('x', 20000);
        Assert.Equal(line, await flow.EchoAsync(line, nodes.Limit));

        await nodes.WidthAsync("node2", 1300);
        await nodes.HasMtuAsync(nodes.Caller, "eth0", 1250);
        Assert.Equal(line, await flow.EchoAsync(line, nodes.Limit));

        // Jumbo frames on every link, this node's own too.
        await nodes.WidthAsync("node1", 9000);
        await nodes.WidthAsync("node2", 9000);
        await NamespaceFixture.RunAsync(nodes.Lan, "ip", "link", "set", "lan", "mtu", "9000");
        await nodes.HasMtuAsync(nodes.Caller, "eth0", 8950);
        Assert.Equal(line, await flow.EchoAsync(line, nodes.Limit));
    }

    [Fact]
    public async Task A_blocked_tunnel_port_is_named_on_both_nodes_with_the_remedy()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Answers == true && WayTo(nodes.Second, "node1")?.Answers == true, nodes.Limit);
        await NftAsync(nodes.Second.Host, "add table inet foreign; add chain inet foreign input { type filter hook input priority -200; }; add rule inet foreign input udp dport 4789 drop");
        await UntilAsync(() => nodes.First.Network.Findings.Value is [_] && nodes.Second.Network.Findings.Value is ["no VXLAN frames over UDP 4789 from node1 (198.18.5.1), which answers otherwise: open UDP 4789 between the nodes"], nodes.Limit);
        Assert.Equal(["VXLAN frames over UDP 4789 do not reach node2 (198.18.5.2), though its own arrive here: open UDP 4789 on node2"], nodes.First.Network.Findings.Value);
        Assert.Contains(nodes.Second.Log.Lines, l => l.Contains("Way to node node1: no VXLAN frames over UDP 4789", StringComparison.Ordinal));

        await NftAsync(nodes.Second.Host, "delete table inet foreign");
        await UntilAsync(() => nodes.First.Network.Findings.Value.IsEmpty && nodes.Second.Network.Findings.Value.IsEmpty, nodes.Limit);
        Assert.Contains(nodes.Second.Log.Lines, l => l.Contains("Way to node node1 is in order again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wrong_checksums_are_told_from_a_blocked_port()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await UntilAsync(() => WayTo(nodes.First, "node2")?.Answers == true, nodes.Limit);
        // As a card does that fills in the checksums of the packets inside wrongly: an inner UDP checksum that is there becomes another.
        Offload.SwitchOffChecksums(nodes.First.Host, "e0");
        await NftAsync(nodes.First.Host, "add table ip foreign; add chain ip foreign out { type filter hook postrouting priority 0; }; add rule ip foreign out udp dport 4789 @th,312,8 17 @th,448,16 != 0 @th,448,16 set 0xdead");
        await UntilAsync(() => nodes.First.Network.Findings.Value is [_], nodes.Limit);
        Assert.Equal(
            ["checksums are wrong in VXLAN frames to node2 (198.18.5.2): switch checksum offload off here, ethtool -K e0 tx-checksum-ip-generic off"],
            nodes.First.Network.Findings.Value);
        Assert.True(WayTo(nodes.First, "node2")?.Answers);
        Assert.Empty(nodes.Second.Network.Findings.Value);
    }

    private static PeerPath? WayTo(TestNode node, string peer) => node.Network.DescribePaths().FirstOrDefault(p => p.NodeId == peer);

    private static async Task<int> EchoesAsync(NetworkNamespace ns)
    {
        var lines = (await NamespaceFixture.RunAsync(ns, "cat", "/proc/net/snmp")).Split('\n').Where(l => l.StartsWith("Icmp:", StringComparison.Ordinal)).Select(l => l.Split(' ')).ToList();
        return int.Parse(lines[1][Array.IndexOf(lines[0], "OutEchoReps")], CultureInfo.InvariantCulture);
    }

    private static Task<string> NftAsync(NetworkNamespace ns, string rules) => NamespaceFixture.RunAsync(ns, "nft", rules);

    private static async Task UntilAsync(Func<bool> condition, CancellationToken limit)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            await again.WaitForNextTickAsync(limit);
        }
    }
}
