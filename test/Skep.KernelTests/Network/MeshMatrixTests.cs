using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Published ports by the routing mesh: who the task sees, in every case, as a table in the output; and that answers find their way.</summary>
public sealed class MeshMatrixTests(ITestOutputHelper output)
{
    private static readonly (AddressFamily Family, ProtocolType Protocol)[] s_kinds =
    [
        .. from family in new[] { AddressFamily.InterNetwork, AddressFamily.InterNetworkV6 }
           from protocol in new[] { ProtocolType.Tcp, ProtocolType.Udp }
           select (family, protocol),
    ];

    public static TheoryData<AddressFamily, ProtocolType> Kinds => [.. s_kinds.Select(k => new TheoryDataRow<AddressFamily, ProtocolType>(k.Family, k.Protocol))];

    [Fact]
    public async Task The_task_sees_the_address_that_the_client_has()
    {
        await using var nodes = await MeshNodes.StartAsync();
        var table = new ShownTable(output, "whom a task sees by the mesh");
        table.Line($"{"entry",-13}{"client",-25}{"",-6}{"TCP sees",-18}UDP sees");
        foreach (var (entry, host, container) in new[] { (1, nodes.First.Host, nodes.Container1), (2, nodes.Second.Host, nodes.Container2) })
        {
            foreach (var family in new[] { AddressFamily.InterNetwork, AddressFamily.InterNetworkV6 })
            {
                var own = MeshNodes.Outside(family, entry);
                (string Name, NetworkNamespace From, string To, string Sees)[] clients =
                [
                    ("another machine", nodes.Client, own, MeshNodes.Outside(family, 9)),
                    ("the node, own address", host, own, own),
                    ("the node, loopback", host, MeshNodes.Loopback(family), MeshNodes.Inside(family, entry)),
                    ("a container of the node", container, own, MeshNodes.Inside(family, entry)),
                ];
                foreach (var client in clients)
                {
                    var tcp = await SeenAsync(nodes, client.From, client.To, ProtocolType.Tcp);
                    var udp = await SeenAsync(nodes, client.From, client.To, ProtocolType.Udp);
                    table.Line($"{(entry == 1 ? "task's node" : "another"),-13}{client.Name,-25}{(family == AddressFamily.InterNetwork ? "IPv4" : "IPv6"),-6}{tcp,-18}{udp}");
                    Assert.Equal((client.Name, client.Sees, client.Sees), (client.Name, tcp, udp));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_port_of_the_node_itself_answers_on_its_loopback_too(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        Assert.Equal(
            $"container1 {MeshNodes.Outside(family, 9)}",
            await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, 1), protocol, MeshNodes.HostPort));
        Assert.StartsWith("container1 ", await nodes.AskAsync(nodes.First.Host, MeshNodes.Loopback(family), protocol, MeshNodes.HostPort), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Flows_outlive_the_daemons_of_both_nodes(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        Socket[] flows =
        [
            await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, 1), protocol),
            await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, 2), protocol),
        ];
        foreach (var flow in flows)
        {
            Assert.EndsWith(" before", await nodes.SayAsync(flow, "before"), StringComparison.Ordinal);
        }

        await nodes.First.StopAsync();
        await nodes.Second.StopAsync();
        foreach (var flow in flows)
        {
            Assert.EndsWith(" between", await nodes.SayAsync(flow, "between"), StringComparison.Ordinal);
        }

        nodes.First.Log.Clear();
        nodes.Second.Log.Clear();
        nodes.First.Start();
        nodes.Second.Start();
        await nodes.ApplyAsync(MeshNodes.Plan(1));
        await nodes.AttachAsync();
        foreach (var flow in flows)
        {
            Assert.EndsWith(" after", await nodes.SayAsync(flow, "after"), StringComparison.Ordinal);
        }

        Assert.Empty(nodes.First.Log.Differences.Concat(nodes.Second.Log.Differences));
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task A_datagram_client_that_changes_the_entry_node_is_answered_by_the_new_one(AddressFamily family)
    {
        await using var nodes = await MeshNodes.StartAsync();
        for (var round = 0; round < 2; round++)
        {
            foreach (var entry in new[] { 1, 2 })
            {
                using var socket = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, entry), ProtocolType.Udp, own: 5060);
                Assert.Equal($"web {MeshNodes.Outside(family, 9)} {round}", await nodes.SayAsync(socket, $"{round}"));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task More_than_fits_into_a_frame_comes_through_both_ways(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        var text = new string('x', 5000);
        foreach (var entry in new[] { 1, 2 })
        {
            var socket = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, entry), protocol);
            string answer;
            try
            {
                answer = await nodes.SayAsync(socket, text);
            }
            catch (SocketException tooLong) when (tooLong.SocketErrorCode == SocketError.MessageSize)
            {
                // IPv6's routers do not fragment: the sender learns that the way is narrower than its own link, and sends again.
                answer = await nodes.SayAsync(socket, text);
            }

            while (protocol == ProtocolType.Tcp && answer.Count(c => c == 'x') < text.Length)
            {
                var buffer = new byte[65536];
                answer += System.Text.Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, nodes.Limit));
            }

            Assert.Equal(text.Length, answer.Count(c => c == 'x'));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_port_that_no_task_listens_on_is_refused_at_once(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        foreach (var (from, address) in new[] { (nodes.Client, MeshNodes.Outside(family, 1)), (nodes.Client, MeshNodes.Outside(family, 2)), (nodes.Second.Host, MeshNodes.Loopback(family)) })
        {
            // What an ICMPv6 error quotes is not put right on its way to ::1.
            if ((address, protocol) == ("::1", ProtocolType.Udp))
            {
                continue;
            }

            var refusal = await Assert.ThrowsAsync<SocketException>(() => nodes.AskAsync(from, address, protocol, MeshNodes.Deaf));
            Assert.Contains(refusal.SocketErrorCode, new[] { SocketError.ConnectionRefused, SocketError.ConnectionReset });
        }
    }

    [Fact]
    public async Task A_task_reaches_nobody_over_the_ingress_network_under_any_name()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await Silence.OfAsync(() => nodes.AskAsync(nodes.Web, "10.0.0.6", ProtocolType.Tcp, MeshNodes.Target));

        // With the MAC of an ingress_sbox as its own it is not even heard.
        await NamespaceFixture.RunAsync(nodes.Web, "ip", "link", "set", "eth0", "address", "02:42:0a:00:00:0c");
        await Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(nodes.Web, "10.0.0.6", ProtocolType.Tcp, MeshNodes.Target));
    }

    private static async Task<string> SeenAsync(MeshNodes nodes, NetworkNamespace from, string to, ProtocolType protocol)
    {
        var answer = await nodes.AskAsync(from, to, protocol);
        return answer.StartsWith("web ", StringComparison.Ordinal) ? answer[4..] : answer;
    }
}
