using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Xfrm;
using Skep.Testing.Kernel;

namespace Skep.ClassicTests.Encryption;

/// <summary>Encrypted overlay networks between three nodes, seen from the wire.</summary>
public sealed class EncryptionTests(EncryptionMachine machine) : IClassFixture<EncryptionMachine>
{
    private const string SecretMarker = "the-quick-brown-secret";
    private const string ClearMarker = "nothing-to-hide-here";

    // More than the swarm's own, which says where it was.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(170);

    [Theory, MemberData(nameof(Planes.All), MemberType = typeof(Planes))]
    public async Task Not_one_byte_is_in_the_clear_through_start_rotation_restart_and_node_loss(Plane plane) => await machine.RunAsync(LifeAsync, plane, s_limit);

    [Theory, MemberData(nameof(Planes.All), MemberType = typeof(Planes))]
    public async Task The_same_over_IPv6(Plane plane) => await machine.RunAsync(SixAsync, plane, s_limit);

    [Theory, MemberData(nameof(Planes.All), MemberType = typeof(Planes))]
    public async Task Clear_text_from_outside_does_not_get_in_with_keys_or_before_the_first(Plane plane) => await machine.RunAsync(InjectAsync, plane, s_limit);

    [Theory, MemberData(nameof(Planes.All), MemberType = typeof(Planes))]
    public async Task Packet_rules_alone_hold_in_both_directions_and_policies_alone_too(Plane plane) => await machine.RunAsync(AloneAsync, plane, s_limit);

    [Theory, MemberData(nameof(Planes.All), MemberType = typeof(Planes))]
    public async Task Flushed_policies_and_states_leak_nothing_and_heal(Plane plane) => await machine.RunAsync(FlushAsync, plane, s_limit);

    private static async Task InjectAsync(Plane plane)
    {
        await using var swarm = await SecretSwarm.StartAsync(plane, keys: false);
        var forger = swarm.Machine(9);
        using var listener = Listen(swarm);
        await CountAsync(swarm.Nodes[1], plane);

        await OnlyTheControlGetsInAsync(swarm, forger, listener);
        await swarm.ApplyAsync();
        await OnlyTheControlGetsInAsync(swarm, forger, listener);

        // The ten packets to the encrypted networks' port met the rule; what the kernel's policies do without it is another test's.
        Assert.Equal((10, 0), await CountedAsync(swarm.Nodes[1], plane));
    }

    private static async Task AloneAsync(Plane plane)
    {
        await using var swarm = await SecretSwarm.StartAsync(plane);
        var forger = swarm.Machine(9);
        using var listener = Listen(swarm);
        await using var tap = new UnderlayTap(swarm.Wire, SecretMarker);
        await using var there = new MarkedTraffic(swarm.Tasks[0], swarm.Tasks[1], "10.0.2.12", SecretMarker);
        await there.MoreAsync(10, swarm.Limit);

        // Nobody is there who would mend what is broken now. Rules go; policies and states carry on and refuse.
        await StopAsync(swarm);
        await swarm.Nodes[0].FlushRulesAsync();
        await swarm.Nodes[1].FlushRulesAsync();
        await there.MoreAsync(10, swarm.Limit);
        await OnlyTheControlGetsInAsync(swarm, forger, listener);
        await StartAsync(swarm);
        await UntilAsync(swarm, () => swarm.Nodes[0].RefusesByRulesAsync());
        await UntilAsync(swarm, () => swarm.Nodes[1].RefusesByRulesAsync());

        // Policies and states go; rules refuse.
        await StopAsync(swarm);
        foreach (var node in swarm.Nodes.Take(2))
        {
            await NamespaceFixture.RunAsync(node.Host, "ip", "xfrm", "policy", "flush");
            await NamespaceFixture.RunAsync(node.Host, "ip", "xfrm", "state", "flush");
        }

        // Two are let through in which an answer may still be on its way.
        await there.SentAsync(2, swarm.Limit);
        var back = there.Back;
        await there.SentAsync(20, swarm.Limit);
        Assert.Equal(back, there.Back);
        await OnlyTheControlGetsInAsync(swarm, forger, listener);

        // The nodes find their states gone and take new generations, of which each learns by the next plan.
        await StartAsync(swarm);
        await swarm.ApplyAsync();
        await swarm.ApplyAsync();
        await there.MoreAsync(10, swarm.Limit);
        Assert.Equal(0, tap.Count(SecretMarker));
    }

    private static async Task StopAsync(SecretSwarm swarm)
    {
        await swarm.Nodes[0].StopAsync();
        await swarm.Nodes[1].StopAsync();
    }

    private static async Task StartAsync(SecretSwarm swarm)
    {
        foreach (var node in swarm.Nodes.Take(2))
        {
            node.Start();
            await node.Network.AppliedRevision.WaitAsync(r => r > 0, swarm.Limit);
        }
    }

    private static Socket Listen(SecretSwarm swarm)
    {
        var listener = NamespaceFixture.OpenSocket(swarm.Tasks[1], SocketType.Dgram, ProtocolType.Udp);
        listener.Bind(new IPEndPoint(IPAddress.Any, 9100));
        return listener;
    }

    // Into the encrypted network by its own port and by the clear networks' port; last, as the control, into the clear network.
    private static async Task OnlyTheControlGetsInAsync(SecretSwarm swarm, NetworkNamespace forger, Socket listener)
    {
        Injector.Send(forger, 4790, 4098, "10.0.2.12", "forged");
        Injector.Send(forger, 4789, 4098, "10.0.2.12", "forged");
        Injector.Send(forger, 4789, 4099, "10.0.3.12", "control");

        var buffer = new byte[100];
        for (var i = 0; i < 5; i++)
        {
            var length = await listener.ReceiveAsync(buffer, swarm.Limit);
            Assert.Equal("control", Encoding.ASCII.GetString(buffer, 0, length));
        }
    }

    // With nftables a table of the test's counts before our rules and behind them; with iptables the rule itself counts.
    private static Task CountAsync(SecretNode node, Plane plane) => plane is Plane.Classic ? Task.CompletedTask : NamespaceFixture.RunAsync(
        node.Host,
        "nft",
        """
        table ip counts {
            chain before { type filter hook input priority -1; udp dport 4790 meta ipsec missing counter; }
            chain behind { type filter hook input priority 1; udp dport 4790 meta ipsec missing counter; }
        }
        """);

    private static async Task<(int Arrived, int Passed)> CountedAsync(SecretNode node, Plane plane)
    {
        if (plane is Plane.Classic)
        {
            var rules = await NamespaceFixture.RunAsync(node.Host, "iptables", "-xnvL", "INPUT");
            return (int.Parse(Regex.Match(rules, @"\n\s+(\d+)\s+\d+ DROP .* udp dpt:4790 policy match dir in pol none").Groups[1].Value, CultureInfo.InvariantCulture), 0);
        }

        var counters = Regex.Matches(await NamespaceFixture.RunAsync(node.Host, "nft", "list", "table", "ip", "counts"), @"counter packets (\d+)");
        return (int.Parse(counters[0].Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(counters[1].Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private static async Task FlushAsync(Plane plane)
    {
        await using var swarm = await SecretSwarm.StartAsync(plane);
        await using var tap = new UnderlayTap(swarm.Wire, SecretMarker);
        await using var there = new MarkedTraffic(swarm.Tasks[0], swarm.Tasks[1], "10.0.2.12", SecretMarker);
        await there.MoreAsync(10, swarm.Limit);
        var generation = swarm.Nodes[0].Network.CipherGeneration.Value;

        // Rules go, the kernel's policies hold; policies go, the rules hold. Each is back before the other is taken away.
        await swarm.Nodes[0].FlushRulesAsync();
        await there.MoreAsync(10, swarm.Limit);
        await UntilAsync(swarm, () => swarm.Nodes[0].RefusesByRulesAsync());
        await NamespaceFixture.RunAsync(swarm.Nodes[0].Host, "ip", "xfrm", "policy", "flush");
        await there.MoreAsync(10, swarm.Limit);
        Assert.Equal(generation, swarm.Nodes[0].Network.CipherGeneration.Value);

        // States that are gone are made with new keys, which peers learn by the plan.
        await NamespaceFixture.RunAsync(swarm.Nodes[0].Host, "ip", "xfrm", "state", "flush");
        await swarm.Nodes[0].Network.CipherGeneration.WaitAsync(g => g != generation, swarm.Limit);
        await swarm.ApplyAsync();
        await there.MoreAsync(10, swarm.Limit);

        var status = Assert.Single(swarm.Nodes[0].Network.EncryptedNetworks());
        Assert.Equal(("secret", 1, 2), (status.Name, status.Keys, status.Peers.Count));
        Assert.True(status.Peers[0].SentBytes > 0 && status.Peers[0].ReceivedBytes > 0 && status.Peers[0].Spi.StartsWith("0x", StringComparison.Ordinal), status.Peers[0].ToString());
        Assert.Equal(0, tap.Count(SecretMarker));
    }

    private static async Task UntilAsync(SecretSwarm swarm, Func<Task<bool>> condition)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition() && await tick.WaitForNextTickAsync(swarm.Limit))
        {
        }
    }

    private static async Task LifeAsync(Plane plane)
    {
        await using var swarm = await SecretSwarm.StartAsync(plane, keys: false);
        await using var tap = new UnderlayTap(swarm.Wire, SecretMarker, ClearMarker);
        await using var clear = new MarkedTraffic(swarm.Tasks[0], swarm.Tasks[1], "10.0.3.12", ClearMarker, port: 9001);
        await using var there = new MarkedTraffic(swarm.Tasks[0], swarm.Tasks[1], "10.0.2.12", SecretMarker);
        await using var other = new MarkedTraffic(swarm.Tasks[2], swarm.Tasks[0], "10.0.2.11", SecretMarker);

        // Before the first key nothing gets through, and nothing is on the wire.
        await clear.MoreAsync(20, swarm.Limit);
        await there.SentAsync(20, swarm.Limit);
        Assert.Equal((0, 0), (there.Back, other.Back));

        await swarm.ApplyAsync();
        await there.MoreAsync(20, swarm.Limit);
        await other.MoreAsync(20, swarm.Limit);
        there.Forgive();
        other.Forgive();

        // A new key for reception everywhere, then sending, then the old one goes: node after node, while packets flow.
        swarm.Keys.Add(SecretSwarm.NewKey("b"));
        await swarm.ApplyAsync();
        swarm.Sending = "b";
        await swarm.ApplyAsync();
        await there.MoreAsync(10, swarm.Limit);
        swarm.Keys.RemoveAt(0);
        await swarm.ApplyAsync();
        await there.MoreAsync(10, swarm.Limit);
        await other.MoreAsync(10, swarm.Limit);

        // A daemon that comes back finds no key on disk, and leaves what the kernel has.
        await swarm.Nodes[0].StopAsync();
        Assert.DoesNotContain(Convert.ToBase64String(swarm.Keys[0].Secret), await File.ReadAllTextAsync(swarm.Nodes[0].StateFile), StringComparison.Ordinal);
        await there.MoreAsync(10, swarm.Limit);
        swarm.Nodes[0].Start();
        await swarm.Nodes[0].Network.AppliedRevision.WaitAsync(r => r > 0, swarm.Limit);
        await there.MoreAsync(10, swarm.Limit);
        await swarm.ApplyAsync();
        await there.MoreAsync(10, swarm.Limit);
        await other.MoreAsync(10, swarm.Limit);
        await there.SettleAsync(swarm.Limit);
        await other.SettleAsync(swarm.Limit);

        // The third node is lost; what is still sent to it stays in the node.
        swarm.Present = 2;
        await swarm.ApplyAsync();
        await there.MoreAsync(10, swarm.Limit);
        Assert.Equal(4, States(swarm.Nodes[0]).Count);

        // It was only away and has kept its side: what is sent to it goes on behind what it had seen.
        swarm.Present = 3;
        await swarm.ApplyAsync();
        await other.MoreAsync(10, swarm.Limit);

        // It is away for longer than its key is in use.
        swarm.Present = 2;
        swarm.Keys.Add(SecretSwarm.NewKey("c"));
        await swarm.ApplyAsync();
        swarm.Sending = "c";
        await swarm.ApplyAsync();
        swarm.Keys.RemoveAt(0);
        await swarm.ApplyAsync();
        await there.MoreAsync(10, swarm.Limit);
        Assert.Equal(2, States(swarm.Nodes[0]).Count);

        Assert.True(tap.Count(ClearMarker) > 50, $"the tap saw {tap.Count(ClearMarker)} clear packets in {tap.Frames} frames");
        Assert.True(tap.Sealed > 50, $"the tap saw {tap.Sealed} sealed packets");
        Assert.Equal(0, tap.Count(SecretMarker));
    }

    private static async Task SixAsync(Plane plane)
    {
        await using var swarm = await SecretSwarm.StartAsync(plane, six: true);
        await using var tap = new UnderlayTap(swarm.Wire, SecretMarker);
        await using var there = new MarkedTraffic(swarm.Tasks[0], swarm.Tasks[1], "10.0.2.12", SecretMarker);
        await there.MoreAsync(20, swarm.Limit);

        Assert.True(tap.Sealed >= 40, $"the tap saw {tap.Sealed} sealed packets");
        Assert.Equal(0, tap.Count(SecretMarker));
    }

    private static IReadOnlyList<XfrmState> States(SecretNode node)
    {
        using var table = XfrmTable.Open(node.Host);
        return table.States();
    }
}
