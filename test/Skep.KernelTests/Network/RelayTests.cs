using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Skep.Kernel.Namespaces;
using Skep.Model.Plans;
using Skep.Testing.Kernel;
using static Skep.KernelTests.Network.FlowEnds;

namespace Skep.KernelTests.Network;

/// <summary>Published ports with PROXY headers, with real packets and the relay as a process of its own.</summary>
public sealed class RelayTests(ITestOutputHelper output)
{
    private const int Published = MeshNodes.Deaf;
    private const int Target = MeshNodes.Target + 1;

    [Fact]
    public async Task The_task_is_told_the_client_and_what_it_dialled()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2);
        using var server = Listen(nodes.Web);
        output.WriteLine($"{"entry",-13}{"client",-25}header");
        foreach (var (entry, host, container) in new[] { (1, nodes.First.Host, nodes.Container1), (2, nodes.Second.Host, nodes.Container2) })
        {
            foreach (var family in new[] { AddressFamily.InterNetwork, AddressFamily.InterNetworkV6 })
            {
                var own = MeshNodes.Outside(family, entry);
                foreach (var (name, from, address) in new[]
                {
                    ("another machine", nodes.Client, own), ("the node, own address", host, own),
                    ("the node, loopback", host, MeshNodes.Loopback(family)), ("a container of the node", container, own),
                })
                {
                    using var client = await ConnectAsync(nodes, from, address);
                    using var task = await server.AcceptAsync(nodes.Limit);
                    var (source, dialled) = await HeaderAsync(task, nodes.Limit);
                    output.WriteLine($"{(entry == 1 ? "task's own" : "another"),-13}{name,-25}{source} -> {dialled}");
                    Assert.Equal(client.LocalEndPoint, source);
                    Assert.Equal(new IPEndPoint(IPAddress.Parse(address), Published), dialled);

                    // Source of the flow itself: the node that let it in, which every node can answer.
                    Assert.Equal(MeshNodes.Inside(family, entry), AddressOf(task.RemoteEndPoint!));
                }
            }
        }

        // Datagrams of the service and its other ports are as they were.
        Assert.Equal("web 198.18.7.9", await nodes.AskAsync(nodes.Client, "198.18.7.2", ProtocolType.Tcp));
        Assert.Equal("web 198.18.7.9", await nodes.AskAsync(nodes.Client, "198.18.7.2", ProtocolType.Udp));
        Assert.Empty(nodes.First.Log.Repairs.Concat(nodes.Second.Log.Repairs));
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task Large_transfers_arrive_whole_in_both_directions_and_each_end_is_the_end_of_one_direction(AddressFamily family)
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2);
        using var server = Listen(nodes.Web);
        using var client = await ConnectAsync(nodes, nodes.Client, MeshNodes.Outside(family, 2));
        using var task = await server.AcceptAsync(nodes.Limit);
        await HeaderAsync(task, nodes.Limit);

        var (up, down) = (RandomNumberGenerator.GetBytes(64 << 20), RandomNumberGenerator.GetBytes(24 << 20));
        var received = ReadToEndAsync(task, nodes.Limit);
        await SendAsync(client, up, nodes.Limit);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(SHA256.HashData(up), SHA256.HashData(await received));

        // The client's direction has ended; the task's goes on.
        var answered = ReadToEndAsync(client, nodes.Limit);
        await SendAsync(task, down, nodes.Limit);
        task.Shutdown(SocketShutdown.Send);
        Assert.Equal(SHA256.HashData(down), SHA256.HashData(await answered));
        await relays.UntilAsync(nodes.Second, s => s is { Flows: 0 });
    }

    [Fact]
    public async Task A_slow_reader_slows_the_sender()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2);
        using var server = Listen(nodes.Web);
        using var client = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        using var task = await server.AcceptAsync(nodes.Limit);
        await HeaderAsync(task, nodes.Limit);

        // More than every buffer on the way may hold (net.ipv4.tcp_rmem, tcp_wmem: 6 and 4 MiB each, twice).
        var much = new byte[256 << 20];
        client.Blocking = false;
        var sent = 0;
        using var patience = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var idle = 0; idle < 20; idle++)
        {
            await patience.WaitForNextTickAsync(nodes.Limit);
            while (sent < much.Length)
            {
                var length = client.Send(much.AsSpan(sent), SocketFlags.None, out var error);
                if (error != SocketError.Success)
                {
                    break;
                }

                (sent, idle) = (sent + length, 0);
            }
        }

        Assert.InRange(sent, 1, 64 << 20);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, (await ReadToEndAsync(task, nodes.Limit)).Length);
    }

    [Fact]
    public async Task Refusals_and_resets_reach_the_other_side()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2);

        // Nobody listens behind it.
        var refused = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using var client = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
            await client.ReceiveAsync(new byte[1], SocketFlags.None, nodes.Limit);
        });
        Assert.Equal(SocketError.ConnectionReset, refused.SocketErrorCode);

        using var server = Listen(nodes.Web);
        using (var client = await ConnectAsync(nodes, nodes.Client, "198.18.7.2"))
        {
            using var task = await server.AcceptAsync(nodes.Limit);
            await HeaderAsync(task, nodes.Limit);
            task.LingerState = new LingerOption(true, 0);
            task.Close();
            Assert.Equal(SocketError.ConnectionReset, await ErrorAsync(client, nodes.Limit));
        }

        using (var client = await ConnectAsync(nodes, nodes.Client, "198.18.7.2"))
        {
            using var task = await server.AcceptAsync(nodes.Limit);
            await HeaderAsync(task, nodes.Limit);
            client.LingerState = new LingerOption(true, 0);
            client.Close();
            Assert.Equal(SocketError.ConnectionReset, await ErrorAsync(task, nodes.Limit));
        }

        // Without any task the port is refused, as ports of the mesh are.
        await nodes.ApplyAsync(Relayed(MeshNodes.Plan(3, "none")));
        var nobody = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(nodes, nodes.Client, "198.18.7.2"));
        Assert.Equal(SocketError.ConnectionRefused, nobody.SocketErrorCode);
    }

    [Fact]
    public async Task Flows_outlive_the_daemon_and_the_next_one_takes_the_relay_over()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2);
        using var server = Listen(nodes.Web);
        using var client = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        using var task = await server.AcceptAsync(nodes.Limit);
        await HeaderAsync(task, nodes.Limit);
        var process = relays.Second.Child.ProcessId;
        Assert.NotNull(process);
        await EchoAsync(client, task, "before", nodes.Limit);

        await relays.LeaveAloneAsync();
        await nodes.First.StopAsync();
        await nodes.Second.StopAsync();
        await EchoAsync(client, task, "without a daemon", nodes.Limit);
        using (await ConnectAsync(nodes, nodes.Client, "198.18.7.2"))
        {
            using var another = await server.AcceptAsync(nodes.Limit);
            Assert.Equal("198.18.7.9", (await HeaderAsync(another, nodes.Limit)).Source.Address.ToString());
        }

        nodes.First.Start();
        nodes.Second.Start();
        await nodes.ApplyAsync(Relayed(MeshNodes.Plan(3)));
        await nodes.AttachAsync();
        relays.Supervise();
        await nodes.Second.Network.AuditAsync(nodes.Limit);
        await EchoAsync(client, task, "with the next one", nodes.Limit);
        await EchoAsync(task, client, "the other way", nodes.Limit);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (relays.Second.Child.ProcessId is null)
        {
            await again.WaitForNextTickAsync(nodes.Limit);
        }

        Assert.Equal(process, relays.Second.Child.ProcessId);

        // Neither the label's end nor a port's touches the flow; without flows and ports the relay ends.
        await nodes.ApplyAsync(MeshNodes.Plan(4));
        await EchoAsync(client, task, "after the label", nodes.Limit);
        Assert.Equal(1, nodes.Second.Network.DescribeRelay()!.Flows);
        client.Dispose();
        Assert.Empty(await ReadToEndAsync(task, nodes.Limit));
        task.Dispose();
        await relays.UntilAsync(nodes.Second, s => s is { Listens: false, Flows: 0 });
    }

    [Fact]
    public async Task The_label_is_for_new_flows_and_drains_count_relayed_ones()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(MeshNodes.Plan(2));
        await using var relays = Relays.Start(nodes);
        using var server = Listen(nodes.Web);
        using var plain = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        using var plainTask = await server.AcceptAsync(nodes.Limit);
        await EchoAsync(plain, plainTask, "plain", nodes.Limit);

        // The first connection asks while the relay is about to start.
        await nodes.ApplyAsync(Relayed(MeshNodes.Plan(3)));
        using var told = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        using var toldTask = await server.AcceptAsync(nodes.Limit);
        Assert.Equal(told.LocalEndPoint, (await HeaderAsync(toldTask, nodes.Limit)).Source);
        await EchoAsync(plain, plainTask, "still plain", nodes.Limit);
        Assert.Equal(2, nodes.First.Network.TrafficOf(TestNode.ContainerOf("web"))!.Flows);

        await nodes.ApplyAsync(MeshNodes.Plan(4));
        using var again = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        using var againTask = await server.AcceptAsync(nodes.Limit);
        await EchoAsync(again, againTask, "plain again", nodes.Limit);
        await EchoAsync(told, toldTask, "relayed still", nodes.Limit);
        Assert.Equal(3, nodes.First.Network.TrafficOf(TestNode.ContainerOf("web"))!.Flows);
    }

    [Fact]
    public async Task Turns_drains_and_affinity_are_those_of_the_mesh()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2, "web", "spare");
        using var web = Listen(nodes.Web);
        using var spare = Listen(nodes.Spare);
        var turns = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            turns.Add(await WhoAsync(nodes, web, spare, nodes.Client));
        }

        Assert.Equal(3, turns.Count(t => t == "web"));
        Assert.All(Enumerable.Range(1, 5), i => Assert.NotEqual(turns[i - 1], turns[i]));

        await nodes.ApplyAsync(Relayed(MeshNodes.Plan(3, "web", "spare"), s => s with { Balance = new PlanBalance(BalanceMode.Source) { AffinitySeconds = 5400 } }));
        var (outside, inside) = (await WhoAsync(nodes, web, spare, nodes.Client), await WhoAsync(nodes, web, spare, nodes.Second.Host));
        Assert.NotEqual(outside, inside);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(outside, await WhoAsync(nodes, web, spare, nodes.Client));
            Assert.Equal(inside, await WhoAsync(nodes, web, spare, nodes.Second.Host));
        }

        // By an address that stands for the client alone.
        var remembered = string.Join('\n', await ListAsync(nodes.Second, "nft", "list", "table", "ip", "skep-relayed-web"));
        Assert.Equal(2, Regex.Count(remembered, @"127\.\d+\.\d+\.\d+ "));

        var plan = Relayed(MeshNodes.Plan(4, "web", "spare"));
        var network = plan.Networks[MeshNodes.Ingress.Id];
        var draining = network.Endpoints.SetItem("web", network.Endpoints["web"] with { State = EndpointState.Draining });
        await nodes.ApplyAsync(plan with { Networks = plan.Networks.SetItem(MeshNodes.Ingress.Id, network with { Endpoints = draining }) });
        Assert.Equal(["spare", "spare", "spare"], [await WhoAsync(nodes, web, spare, nodes.Client), await WhoAsync(nodes, web, spare, nodes.Client), await WhoAsync(nodes, web, spare, nodes.Client)]);
    }

    [Fact]
    public async Task A_backend_that_refuses_is_passed_over()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2, "web", "spare");
        using var spare = Listen(nodes.Spare);

        // web's turn comes, its refusal is heard, and from then on nobody is sent there.
        var refused = 0;
        for (var served = 0; served < 6;)
        {
            if (await FirstAsync(nodes, spare) is { } task)
            {
                task.Dispose();
                served++;
            }
            else
            {
                (refused, served) = (refused + 1, 0);
                Assert.InRange(refused, 0, 20);
            }
        }
    }

    [Fact]
    public async Task Only_what_the_rules_send_reaches_the_relay_and_restrictions_hold()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2);
        foreach (var from in new[] { nodes.Second.Host, nodes.Container2 })
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            using var socket = NamespaceFixture.OpenSocket(from, SocketType.Stream, ProtocolType.Tcp);
            await Assert.ThrowsAnyAsync<Exception>(() => socket.ConnectAsync(new IPEndPoint(IPAddress.Parse("172.18.0.2"), 61054), patience.Token).AsTask());
        }

        using var server = Listen(nodes.Web);
        await nodes.ApplyAsync(Relayed(MeshNodes.Plan(3), access => access with { Sources = ["198.18.7.9/32", "fd07::9/128"], Nodes = ["node2"] }));
        foreach (var family in new[] { AddressFamily.InterNetwork, AddressFamily.InterNetworkV6 })
        {
            using var client = await ConnectAsync(nodes, nodes.Client, MeshNodes.Outside(family, 2));
            using var task = await server.AcceptAsync(nodes.Limit);
            Assert.Equal(client.LocalEndPoint, (await HeaderAsync(task, nodes.Limit)).Source);
            foreach (var (from, to) in new[] { (nodes.Second.Host, 2), (nodes.Client, 1) })
            {
                var refusal = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(nodes, from, MeshNodes.Outside(family, to)));
                Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
            }
        }
    }

    [Fact]
    public async Task A_relay_that_died_is_there_again_and_clients_wait_for_it()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2);
        using var server = Listen(nodes.Web);
        using var lost = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        using var lostTask = await server.AcceptAsync(nodes.Limit);
        await HeaderAsync(lostTask, nodes.Limit);
        using (var process = System.Diagnostics.Process.GetProcessById(relays.Second.Child.ProcessId!.Value))
        {
            process.Kill();
            await process.WaitForExitAsync(nodes.Limit);
        }

        using var client = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        using var task = await server.AcceptAsync(nodes.Limit);
        Assert.Equal(client.LocalEndPoint, (await HeaderAsync(task, nodes.Limit)).Source);
    }

    /// <summary>What the relay costs beside the mesh alone, in turns; for docs/bench.md.</summary>
    [Fact(Explicit = true)]
    public async Task The_relay_carries_a_fair_part_of_what_the_mesh_carries()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await using var relays = await StartAsync(nodes, 2);
        using var server = Listen(nodes.Web);
        var serving = DrainAsync(server, nodes.Limit);
        var rates = new List<(bool Relayed, double Bulk, double Flows)>();
        for (var round = 0; round < 8; round++)
        {
            var relayed = round % 2 == 1;
            var plan = MeshNodes.Plan((ulong)(10 + round));
            await nodes.ApplyAsync(relayed ? Relayed(plan) : plan);
            await TransferAsync(nodes, 1);
            var (bulk, flows) = (await TransferAsync(nodes, 128 << 20), 0.0);
            for (var flow = 0; flow < 200; flow++)
            {
                flows += await TransferAsync(nodes, 1);
            }

            rates.Add((relayed, 128 / bulk, 200 / flows));
            output.WriteLine($"{(relayed ? "relay" : "mesh"),-6} {128 / bulk,8:F0} MiB/s {200 / flows,8:F0} flows/s");
        }

        double Median(bool relayed, Func<(bool Relayed, double Bulk, double Flows), double> of) => rates.Where(r => r.Relayed == relayed).Select(of).Order().ElementAt(2);
        var (bytes, opened) = (Median(true, r => r.Bulk) / Median(false, r => r.Bulk), Median(true, r => r.Flows) / Median(false, r => r.Flows));
        output.WriteLine($"relay / mesh: {bytes:F2} of the bytes, {opened:F2} of the flows");
        Assert.True(bytes > 0.1 && opened > 0.1, $"{bytes} {opened}");
        server.Dispose();
        await serving;
    }

    /// <summary>Seconds from the connection to the end that the task answers with.</summary>
    private static async Task<double> TransferAsync(MeshNodes nodes, int bytes)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var client = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        var piece = new byte[Math.Min(bytes, 1 << 20)];
        for (var sent = 0; sent < bytes; sent += piece.Length)
        {
            await SendAsync(client, piece, nodes.Limit);
        }

        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await client.ReceiveAsync(piece, SocketFlags.None, nodes.Limit));
        return TimeProvider.System.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task DrainAsync(Socket server, CancellationToken limit)
    {
        var buffer = new byte[1 << 20];
        try
        {
            while (true)
            {
                using var task = await server.AcceptAsync(limit);
                while (await task.ReceiveAsync(buffer, SocketFlags.None, limit) > 0)
                {
                }
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }

    private static async Task<Relays> StartAsync(MeshNodes nodes, ulong revision, params string[] tasks)
    {
        await nodes.ApplyAsync(Relayed(MeshNodes.Plan(revision, tasks)));
        var relays = Relays.Start(nodes);
        await relays.UntilAsync(nodes.First, s => s is { Listens: true, Ports: 1 });
        await relays.UntilAsync(nodes.Second, s => s is { Listens: true, Ports: 1 });
        return relays;
    }

    private static NodePlan Relayed(NodePlan plan, Func<PlanPortAccess, PlanPortAccess> restrict) =>
        Relayed(plan, s => s with { Access = [.. s.Access!.Select(restrict)] });

    private static NodePlan Relayed(NodePlan plan, Func<PlanService, PlanService>? change = null)
    {
        var network = plan.Networks[MeshNodes.Ingress.Id];
        var service = network.Services["web"] with { Access = [new PlanPortAccess(Published, Published) { ProxyProtocol = 2 }] };
        return plan with
        {
            Networks = plan.Networks.SetItem(MeshNodes.Ingress.Id, network with { Services = network.Services.SetItem("web", change is null ? service : change(service)) }),
        };
    }

    private static async Task<string[]> ListAsync(TestNode node, string command, params string[] arguments)
    {
        using var sandbox = node.Open("ingress_sbox");
        return (await NamespaceFixture.RunAsync(sandbox, command, arguments)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static Socket Listen(NetworkNamespace ns)
    {
        var socket = NamespaceFixture.OpenSocket(ns, SocketType.Stream, ProtocolType.Tcp, AddressFamily.InterNetworkV6);
        socket.DualMode = true;
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, Target));
        socket.Listen();
        return socket;
    }

    private static Task<Socket> ConnectAsync(MeshNodes nodes, NetworkNamespace from, string address) => nodes.ConnectAsync(from, address, ProtocolType.Tcp, Published);

    private static async Task<string> WhoAsync(MeshNodes nodes, Socket web, Socket spare, NetworkNamespace from)
    {
        using var client = await ConnectAsync(nodes, from, "198.18.7.2");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(nodes.Limit);
        var (first, second) = (web.AcceptAsync(end.Token).AsTask(), spare.AcceptAsync(end.Token).AsTask());
        var accepted = await Task.WhenAny(first, second);
        using var task = await accepted;
        await HeaderAsync(task, nodes.Limit);
        await end.CancelAsync();
        await Task.WhenAll(first, second).ContinueWith(_ => { }, TaskScheduler.Default);
        return accepted == first ? "web" : "spare";
    }

    /// <summary>The task's end of the connection; null when it was reset.</summary>
    private static async Task<Socket?> FirstAsync(MeshNodes nodes, Socket server)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(nodes.Limit);
        Socket client;
        try
        {
            client = await ConnectAsync(nodes, nodes.Client, "198.18.7.2");
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            return null;
        }

        var (accepted, error) = (server.AcceptAsync(end.Token).AsTask(), ErrorAsync(client, end.Token));
        var first = await Task.WhenAny(accepted, error);
        var task = first == accepted ? await accepted : null;
        await end.CancelAsync();
        await Task.WhenAll(accepted, error).ContinueWith(_ => { }, TaskScheduler.Default);
        client.Dispose();
        return task;
    }
}
