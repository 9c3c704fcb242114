using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.KernelTests.Network.Sockets;

/// <summary>Real sockets that ask for a VIP: whom they reach, and whom they believe to have reached.</summary>
[Collection(Alone.Name)]
public sealed class SocketBalancingTests
{
    [Fact]
    public async Task Streams_go_to_each_backend_in_turn_and_their_peer_is_the_vip()
    {
        await using var machine = await SocketMachine.StartAsync();
        foreach (var vip in new[] { SocketMachine.Vip4, SocketMachine.Vip6 })
        {
            Assert.Equal("red-a red-b red-c red-a red-b red-c", await machine.AskAsync("red-client", vip, 6));
        }

        // IPv4 by way of an IPv6 socket takes its turn in the same row.
        Assert.Equal("red-a red-b red-c", await machine.AskAsync("red-client", SocketMachine.Mapped, 3));
        Assert.Equal("red-a", (await machine.ConnectAsync("red-client", SocketMachine.Vip4)).Name);
        foreach (var vip in new[] { SocketMachine.Vip4, SocketMachine.Vip6, SocketMachine.Mapped })
        {
            Assert.Equal(vip, SocketMachine.PeerOf((await machine.ConnectAsync("red-client", vip)).Socket));
        }

        AssertUntranslated(machine);
    }

    [Fact]
    public async Task The_same_vip_in_another_network_is_another_service_and_in_no_network_none()
    {
        await using var machine = await SocketMachine.StartAsync();
        Assert.Equal("blue-a blue-b", await machine.AskAsync("blue-client", SocketMachine.Vip4, 2));
        Assert.Equal("red-a red-b", await machine.AskAsync("red-client", SocketMachine.Vip4, 2));

        // A task whose own turn it is reaches itself.
        Assert.Equal("red-c red-a red-b", await machine.AskAsync("red-a", SocketMachine.Vip4, 3));

        // What is no VIP is left alone.
        var direct = await machine.ConnectAsync("red-client", new IPEndPoint(IPAddress.Parse("10.9.0.5"), SocketMachine.Port));
        Assert.Equal("red-c", direct.Name);
        Assert.Equal(IPAddress.Parse("10.9.0.5"), SocketMachine.PeerOf(direct.Socket).Address);
        using var host = Skep.Testing.Kernel.CgroupFixture.Run(machine.Group, () => Skep.Testing.Kernel.NamespaceFixture.OpenSocket(machine.Node.Host, SocketType.Dgram, ProtocolType.Udp));
        Assert.ThrowsAny<SocketException>(() => host.Connect(SocketMachine.Vip4));
    }

    [Fact]
    public async Task A_connected_datagram_socket_has_one_backend_that_answers_as_the_vip()
    {
        await using var machine = await SocketMachine.StartAsync();
        foreach (var vip in new[] { SocketMachine.Vip4, SocketMachine.Vip6, SocketMachine.Mapped })
        {
            var names = new HashSet<string>();
            for (var i = 0; i < 3; i++)
            {
                var socket = machine.Open("red-client", vip.AddressFamily, ProtocolType.Udp);
                socket.Connect(vip);
                Assert.Equal(vip, SocketMachine.PeerOf(socket));
                var first = await machine.ExchangeAsync(socket, null);
                Assert.Equal(first, await machine.ExchangeAsync(socket, null));
                Assert.Equal(vip, first.From);
                names.Add(first.Name);
            }

            Assert.Equal(["red-a", "red-b", "red-c"], names.Order());
        }

        AssertUntranslated(machine);
    }

    [Fact]
    public async Task Datagrams_to_the_vip_stay_together_and_their_answers_come_from_it()
    {
        await using var machine = await SocketMachine.StartAsync();
        foreach (var vip in new[] { SocketMachine.Vip4, SocketMachine.Vip6, SocketMachine.Mapped })
        {
            var names = new HashSet<string>();
            for (var i = 0; i < 3; i++)
            {
                var socket = machine.Open("red-client", vip.AddressFamily, ProtocolType.Udp);
                var first = await machine.ExchangeAsync(socket, vip);
                Assert.Equal(first, await machine.ExchangeAsync(socket, vip));
                Assert.Equal(vip, first.From);
                names.Add(first.Name);
            }

            Assert.Equal(["red-a", "red-b", "red-c"], names.Order());
        }

        AssertUntranslated(machine);
    }

    [Fact]
    public async Task Datagrams_go_to_another_backend_when_theirs_drains_or_is_gone()
    {
        await using var machine = await SocketMachine.StartAsync();
        var socket = machine.Open("red-client", AddressFamily.InterNetwork, ProtocolType.Udp);
        Assert.Equal("red-a", (await machine.ExchangeAsync(socket, SocketMachine.Vip4)).Name);

        await machine.ApplyAsync(SocketMachine.Plan(2, new Dictionary<string, EndpointState?> { ["a"] = EndpointState.Draining }));
        var (name, from) = await machine.ExchangeAsync(socket, SocketMachine.Vip4);
        Assert.Contains(name, (string[])["red-b", "red-c"]);
        Assert.Equal(SocketMachine.Vip4, from);
        Assert.Equal(["red-b", "red-c"], (await machine.AskAsync("red-client", SocketMachine.Vip4, 4)).Split(' ').Distinct().Order());

        await machine.ApplyAsync(SocketMachine.Plan(3, new Dictionary<string, EndpointState?> { ["a"] = null, [name[4..]] = null }));
        (var other, from) = await machine.ExchangeAsync(socket, SocketMachine.Vip4);
        Assert.Equal(name == "red-b" ? "red-c" : "red-b", other);
        Assert.Equal(SocketMachine.Vip4, from);
    }

    [Fact]
    public async Task Without_backends_the_packet_rules_refuse_and_a_live_stream_to_one_that_drains_goes_on()
    {
        await using var machine = await SocketMachine.StartAsync();
        var (name, stream) = await machine.ConnectAsync("red-client", SocketMachine.Vip4);
        Assert.Equal("red-a", name);
        await machine.ApplyAsync(SocketMachine.Plan(2, SocketMachine.Tasks.ToDictionary(t => t, _ => (EndpointState?)EndpointState.Draining)));
        foreach (var vip in new[] { SocketMachine.Vip4, SocketMachine.Vip6 })
        {
            var refusal = await Assert.ThrowsAsync<SocketException>(() => machine.ConnectAsync("red-client", vip));
            Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        }

        await stream.SendAsync("still"u8.ToArray(), machine.Limit);
        Assert.Equal("still", await machine.ReadAsync(stream));
    }

    [Fact]
    public async Task A_service_says_how_it_is_balanced()
    {
        await using var machine = await SocketMachine.StartAsync(s => s with { Balance = new PlanBalance(BalanceMode.Source) { AffinitySeconds = 60 } });
        Assert.Equal("red-a red-a red-a", await machine.AskAsync("red-client", SocketMachine.Vip4, 3));
        Assert.Equal("red-b red-b", await machine.AskAsync("red-c", SocketMachine.Vip4, 2));
        await machine.ApplyAsync(SocketMachine.Plan(2, new Dictionary<string, EndpointState?> { ["a"] = EndpointState.Draining }, s => s with { Balance = new PlanBalance(BalanceMode.Source) { AffinitySeconds = 60 } }));
        var names = (await machine.AskAsync("red-client", SocketMachine.Vip4, 2)).Split(' ');
        Assert.Equal(names[0], names[1]);
        Assert.NotEqual("red-a", names[0]);

        await machine.ApplyAsync(SocketMachine.Plan(3, settle: s => s with { Balance = new PlanBalance(BalanceMode.Random) }));
        var met = (await machine.AskAsync("red-client", SocketMachine.Vip4, 40)).Split(' ');
        Assert.Equal(["red-a", "red-b", "red-c"], met.Distinct().Order());
        Assert.NotEqual(met[3..], met[..^3]);
    }

    [Fact]
    public async Task A_port_that_a_backend_refuses_goes_to_the_others_until_it_answers()
    {
        await using var machine = await SocketMachine.StartAsync();
        await machine.ApplyAsync(SocketMachine.Of(SocketMachine.Red, 2));
        await machine.AskAsync("red-client", SocketMachine.Vip4, 3);
        await machine.Node.UntilRetriedAsync(machine.RedSpace, "10.9.0.2 . tcp . 3000", machine.Limit);
        Array.ForEach(machine.Servers["red-b"], s => s.Dispose());
        await machine.AskAsync("red-client", SocketMachine.Vip4, 1);
        var refusal = await Assert.ThrowsAsync<SocketException>(() => machine.ConnectAsync("red-client", SocketMachine.Vip4));
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        await UntilAsync(machine, () => machine.Node.Network.DescribeEjected().Count > 0);
        Assert.Equal("10.9.0.4:3000/tcp", Assert.Single(machine.Node.Network.DescribeEjected()).Backend);
        await UntilAsync(machine, () => machine.Map("skep_services").Entries().Chunk(28).Any(e => e[6] == 6));
        Assert.Equal(["red-a", "red-c"], (await machine.AskAsync("red-client", SocketMachine.Vip4, 6)).Split(' ').Distinct().Order());

        machine.Serve(machine.Spaces["red-b"], "red-b");
        await UntilAsync(machine, () => machine.Node.Network.DescribeEjected().Count == 0);
        while (!(await machine.AskAsync("red-client", SocketMachine.Vip4, 3)).Contains("red-b", StringComparison.Ordinal))
        {
        }
    }

    [Fact]
    public async Task With_affinity_a_client_stays_with_its_backend_when_another_one_refuses()
    {
        await using var machine = await SocketMachine.StartAsync(Affine);
        await machine.ApplyAsync(SocketMachine.Of(SocketMachine.Red, 2, Affine));
        Assert.Equal("red-a", await machine.AskAsync("red-client", SocketMachine.Vip4, 1));
        Assert.Equal("red-b", await machine.AskAsync("red-c", SocketMachine.Vip4, 1));
        Assert.Equal("red-c", await machine.AskAsync("red-b", SocketMachine.Vip4, 1));
        Array.ForEach(machine.Servers["red-c"], s => s.Dispose());
        while (await RefusesAsync(machine))
        {
        }

        // Whose turn it is has gone on.
        Assert.Equal("red-a", await machine.AskAsync("red-client", SocketMachine.Vip4, 1));
        Assert.Equal("red-b", await machine.AskAsync("red-c", SocketMachine.Vip4, 1));
    }

    [Theory]
    [InlineData("red")]
    [InlineData("blue")]
    public async Task With_affinity_a_client_stays_with_its_backend_when_the_daemon_starts_again(string network)
    {
        await using var machine = await SocketMachine.StartAsync(Affine);
        Assert.Equal($"{network}-a", await machine.AskAsync($"{network}-c", SocketMachine.Vip4, 1));
        Assert.Equal($"{network}-b", await machine.AskAsync($"{network}-client", SocketMachine.Vip4, 1));
        await machine.Node.StopAsync();
        machine.Node.Start();
        // With fewer services than before they stand elsewhere in the new maps.
        await machine.ApplyAsync(SocketMachine.Of(network == "red" ? SocketMachine.Red : SocketMachine.Blue, 2, Affine));
        Assert.Equal($"{network}-b", await machine.AskAsync($"{network}-client", SocketMachine.Vip4, 1));
    }

    private static PlanService Affine(PlanService service) => service with { Balance = new PlanBalance(BalanceMode.Source) { AffinitySeconds = 60 } };

    private static async Task<bool> RefusesAsync(SocketMachine machine)
    {
        try
        {
            await machine.AskAsync("red-b", SocketMachine.Vip4, 1);
            return false;
        }
        catch (SocketException refusal) when (refusal.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return true;
        }
    }

    internal static async Task UntilAsync(SocketMachine machine, Func<bool> holds)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!holds())
        {
            await again.WaitForNextTickAsync(machine.Limit);
        }
    }

    // No flow of the overlay's namespaces was sent elsewhere than where it was going.
    private static void AssertUntranslated(SocketMachine machine)
    {
        var flows = SocketKeepingTests.Flows(machine);
        Assert.NotEmpty(flows);
        Assert.All(flows, f => Assert.Equal(f.Original.Destination, f.Reply.Source));
    }
}
