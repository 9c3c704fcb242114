using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>What becomes of flows when backends come and go, and of connections that come and go fast.</summary>
[Collection(Alone.Name)]
public sealed class FlowStateTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task A_datagram_client_of_a_backend_that_is_gone_reaches_another_by_every_node(AddressFamily family)
    {
        await using var nodes = await MeshNodes.StartAsync();
        var flows = new List<Socket>();
        foreach (var entry in new[] { 1, 2 })
        {
            flows.Add(await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, entry), ProtocolType.Udp));
            Assert.StartsWith("web ", await nodes.SayAsync(flows[^1], "first"), StringComparison.Ordinal);
        }

        await nodes.ApplyAsync(MeshNodes.Plan(2, "spare"));
        await nodes.First.Network.DetachAsync(TestNode.ContainerOf("web"), nodes.Limit);
        foreach (var flow in flows)
        {
            Assert.Equal($"spare {MeshNodes.Outside(family, 9)} second", await nodes.SayAsync(flow, "second"));
        }
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task A_connection_by_the_mesh_to_a_backend_that_is_gone_is_reset_at_its_next_packet(AddressFamily family)
    {
        await using var nodes = await MeshNodes.StartAsync();
        foreach (var (revision, tasks) in new[] { (2ul, new[] { "spare" }), (4ul, ["none"]) })
        {
            await nodes.ApplyAsync(MeshNodes.Plan(revision, "web"));
            var flow = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, 2), ProtocolType.Tcp);
            Assert.StartsWith("web ", await nodes.SayAsync(flow, "first"), StringComparison.Ordinal);
            await nodes.ApplyAsync(MeshNodes.Plan(revision + 1, tasks));
            var end = await Assert.ThrowsAsync<SocketException>(() => nodes.SayAsync(flow, "second"));
            Assert.Equal(SocketError.ConnectionReset, end.SocketErrorCode);
        }
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task A_datagram_client_that_asked_before_there_was_a_backend_reaches_it(AddressFamily family)
    {
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(MeshNodes.Plan(2, "none"));
        var flow = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, 2), ProtocolType.Udp);
        await Assert.ThrowsAsync<SocketException>(() => nodes.SayAsync(flow, "nobody"));
        await nodes.ApplyAsync(MeshNodes.Plan(3, "web"));
        Assert.Equal($"web {MeshNodes.Outside(family, 9)} somebody", await nodes.SayAsync(flow, "somebody"));
    }

    /// <summary>Nothing translates these flows: only the rules about vacant addresses end them.</summary>
    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task A_flow_straight_to_a_backend_that_is_gone_is_refused_and_others_live(AddressFamily family)
    {
        await using var nodes = await FamilyNodes.StartAsync(AddressFamily.InterNetwork);
        var (near, far) = (FamilyNodes.AddressOn(FamilyNodes.Both, family, 3), FamilyNodes.AddressOn(FamilyNodes.Both, family, 4));
        var flows = new Dictionary<(string, ProtocolType), Socket>();
        foreach (var to in new[] { near, far })
        {
            using var listener = NamespaceFixture.OpenSocket(to == near ? nodes.Web1 : nodes.Web2, SocketType.Stream, ProtocolType.Tcp, family);
            listener.Bind(new IPEndPoint(IPAddress.Parse(to), 3001));
            listener.Listen();
            var (tcp, datagrams) = (Open(nodes, SocketType.Stream, ProtocolType.Tcp, family), Open(nodes, SocketType.Dgram, ProtocolType.Udp, family));
            flows.Add((to, ProtocolType.Tcp), tcp);
            flows.Add((to, ProtocolType.Udp), datagrams);
            await tcp.ConnectAsync(IPEndPoint.Parse(family == AddressFamily.InterNetwork ? $"{to}:3001" : $"[{to}]:3001"), nodes.Limit);
            _ = EchoAsync(await listener.AcceptAsync(nodes.Limit), nodes.Limit);
            await datagrams.ConnectAsync(new IPEndPoint(IPAddress.Parse(to), FamilyNodes.Port), nodes.Limit);
            await SayAsync(tcp, nodes.Limit);
            await SayAsync(datagrams, nodes.Limit);
        }

        await nodes.First.ApplyAsync(nodes.Without(2, "web2"), nodes.Limit);
        await RefusedAsync(far);
        await SayAsync(flows[(near, ProtocolType.Tcp)], nodes.Limit);
        await SayAsync(flows[(near, ProtocolType.Udp)], nodes.Limit);
        await nodes.First.Network.DetachAsync(TestNode.ContainerOf("web1"), nodes.Limit);
        await RefusedAsync(near);

        async Task RefusedAsync(string gone)
        {
            var reset = await Assert.ThrowsAsync<SocketException>(() => SayAsync(flows[(gone, ProtocolType.Tcp)], nodes.Limit));
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
            var refused = await Assert.ThrowsAsync<SocketException>(() => SayAsync(flows[(gone, ProtocolType.Udp)], nodes.Limit));
            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
            flows[(gone, ProtocolType.Tcp)].Dispose();
            flows[(gone, ProtocolType.Udp)].Dispose();
        }
    }

    [Fact]
    public async Task A_port_of_the_node_itself_is_forgotten_with_its_container()
    {
        await using var nodes = await MeshNodes.StartAsync();
        var udp = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(AddressFamily.InterNetwork, 1), ProtocolType.Udp, MeshNodes.HostPort);
        var tcp = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(AddressFamily.InterNetwork, 1), ProtocolType.Tcp, MeshNodes.HostPort);
        Assert.StartsWith("container1 ", await nodes.SayAsync(udp, "first"), StringComparison.Ordinal);
        Assert.StartsWith("container1 ", await nodes.SayAsync(tcp, "first"), StringComparison.Ordinal);
        await nodes.First.Network.DetachAsync(TestNode.ContainerOf("container1"), nodes.Limit);

        await Assert.ThrowsAsync<SocketException>(() => nodes.SayAsync(udp, "second"));
        await Assert.ThrowsAsync<SocketException>(() => nodes.SayAsync(tcp, "second"));
        using var flows = ConntrackTable.Open(nodes.First.Host);
        Assert.DoesNotContain(flows.Entries(), f => f.Original.DestinationPort == MeshNodes.HostPort && !f.Original.Destination.Equals(f.Reply.Source));
    }

    [Fact]
    public async Task A_daemon_that_starts_again_forgets_the_flows_of_whoever_went_meanwhile()
    {
        await using var nodes = await MeshNodes.StartAsync();
        var flow = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(AddressFamily.InterNetwork, 2), ProtocolType.Udp);
        Assert.StartsWith("web ", await nodes.SayAsync(flow, "first"), StringComparison.Ordinal);
        await nodes.Second.StopAsync();
        nodes.Second.Start();
        await nodes.Second.ApplyAsync(MeshNodes.Plan(2, "spare"), nodes.Limit);
        Assert.StartsWith("spare ", await nodes.SayAsync(flow, "second"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_that_ends_while_no_manager_hears_of_it_gets_nothing_new_from_its_node()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await nodes.First.Network.DetachAsync(TestNode.ContainerOf("web1"), nodes.Limit);
        await OthersAnswerAsync();
        await nodes.First.StopAsync();
        nodes.First.Start();
        await nodes.First.ApplyAsync(TwoNodes.Plan(2), nodes.Limit);
        await OthersAnswerAsync();

        // Where nobody is left the client is told so at once.
        await nodes.First.ApplyAsync(TwoNodes.Without(TwoNodes.Plan(3), "web2"), nodes.Limit);
        var refusal = await Assert.ThrowsAsync<SocketException>(() => nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000));
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);

        async Task OthersAnswerAsync()
        {
            for (var i = 0; i < 2; i++)
            {
                Assert.StartsWith("web2 ", await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000), StringComparison.Ordinal);
                Assert.StartsWith("web2 ", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task An_idle_connection_lives_as_long_as_the_kernel_keeps_an_established_one()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var mesh = await nodes.ConnectAsync(nodes.Client, "198.18.5.2", 8000);
        using var vip = await nodes.ConnectAsync(nodes.Caller, "10.0.1.2", 3000);
        Assert.Equal("here", await mesh.EchoAsync("here", nodes.Limit));
        Assert.Equal("here", await vip.EchoAsync("here", nodes.Limit));
        using var demo = nodes.First.Open("2-demoxxxxxx");
        foreach (var (ns, destination) in new[] { (demo, "10.0.1.2"), (nodes.Second.Host, "198.18.5.2") })
        {
            var kept = long.Parse(await NamespaceFixture.RunAsync(ns, "sysctl", "-n", "net.netfilter.nf_conntrack_tcp_timeout_established"), CultureInfo.InvariantCulture);
            using var flows = ConntrackTable.Open(ns);
            var flow = await AcknowledgedAsync(flows, destination, nodes.Limit);
            output.WriteLine($"{destination}: {flow.Timeout} s of {kept} s");
            Assert.InRange(flow.Timeout, kept - 30, kept);
            Assert.True(kept > 86_400);
        }
    }

    /// <summary>Ports are taken again long before the kernel has forgotten their last connections.</summary>
    [Fact]
    public async Task Connections_by_the_mesh_that_reuse_ports_are_neither_refused_nor_held_up()
    {
        await using var nodes = await MeshNodes.StartAsync();
        using var listener = NamespaceFixture.Listen(nodes.Web, MeshNodes.Target + 1);
        _ = CloseAsync(listener, nodes.Limit);
        await ReuseAsync(nodes.Client, new IPEndPoint(IPAddress.Parse(MeshNodes.Outside(AddressFamily.InterNetwork, 2)), MeshNodes.Deaf), nodes.Limit);
    }

    private static Socket Open(FamilyNodes nodes, SocketType type, ProtocolType protocol, AddressFamily family) =>
        NamespaceFixture.OpenSocket(nodes.Caller, type, protocol, family);

    private static async Task SayAsync(Socket flow, CancellationToken limit)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(limit);
        patience.CancelAfter(TimeSpan.FromSeconds(3));
        await flow.SendAsync("?"u8.ToArray(), patience.Token);
        Assert.NotEqual(0, await flow.ReceiveAsync(new byte[100], patience.Token));
    }

    private static async Task EchoAsync(Socket socket, CancellationToken limit)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            await stream.CopyToAsync(stream, limit);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
        {
        }
    }

    private async Task ReuseAsync(NetworkNamespace from, IPEndPoint to, CancellationToken limit)
    {
        await NamespaceFixture.RunAsync(from, "sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40099");
        var clock = Stopwatch.StartNew();
        var (resent, count) = (0, 0);
        while (clock.Elapsed < TimeSpan.FromSeconds(3))
        {
            using var socket = NamespaceFixture.OpenSocket(from, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(to, limit);
            Assert.Equal(1, await socket.ReceiveAsync(new byte[10], limit));
            Assert.Equal(0, await socket.ReceiveAsync(new byte[10], limit));
            resent += TcpInfo.Resent(socket);
            count++;
        }

        output.WriteLine($"mesh: {count} connections from 100 ports in {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.True(count > 100, $"{count} connections only");
        Assert.True(resent == 0, $"{resent} segments were lost and sent again");
    }

    // The server ends each connection, so that the old ones wait at its end and the client's ports are free at once.
    private static async Task CloseAsync(Socket listener, CancellationToken limit)
    {
        try
        {
            while (true)
            {
                using var socket = await listener.AcceptAsync(limit);
                await socket.SendAsync(new byte[1], limit);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    // While a segment waits for its acknowledgement the kernel keeps the entry for minutes only.
    private static async Task<ConntrackEntry> AcknowledgedAsync(ConntrackTable flows, string destination, CancellationToken limit)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var flow = Assert.Single(flows.Entries(new ConntrackFilter { Protocol = 6, OriginalDestination = IPAddress.Parse(destination) }));
            if (flow.Timeout > 300)
            {
                return flow;
            }

            await again.WaitForNextTickAsync(limit);
        }
    }
}
