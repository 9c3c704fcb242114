using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Backends that refuse leave the balancer with their first refusal, and come back when they answer; with real packets.</summary>
[Collection(Alone.Name)]
public sealed class EjectionTests
{
    private const string Vip = "10.0.1.2";

    [Fact]
    public async Task A_refused_connection_is_opened_to_another_backend_and_the_one_that_refused_is_left_out_until_it_answers()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await KnownAsync(nodes, nodes.Caller, Vip, 3000, "2-demoxxxxxx", "10.0.1.2 . tcp . 3000");
        nodes.Serve(nodes.Web1, "web1", 3001);
        nodes.Serve(nodes.Web2, "web2", 3001);
        Close(nodes.Server2);

        // Whoever meets the refusal first waits for its kernel's second SYN, a second; nobody is told of an error.
        Assert.Equal(["web1 10.0.1.5", "web1 10.0.1.5"], await AskAsync(nodes, nodes.Caller, Vip, 3000, 2));
        var left = Assert.Single(nodes.First.Network.DescribeEjected());
        Assert.Equal(("demo", "web", "web2", "10.0.1.4:3000/tcp", "RST to a SYN"), (left.Network, left.Service, left.TaskId, left.Backend, left.Reason));
        Assert.Contains(nodes.First.Log.Lines, l => l.Contains("Backend 10.0.1.4:3000/tcp of service web refuses (RST to a SYN)", StringComparison.Ordinal));

        Assert.Equal(["web1 10.0.1.5", "web1 10.0.1.5", "web1 10.0.1.5", "web1 10.0.1.5"], await AtOnceAsync(nodes, nodes.Caller, Vip, 3000, 4));

        // The other ports of the same task are none the worse, and the mesh has proofs of its own.
        Assert.Equal(["web1 10.0.1.5", "web2 10.0.1.5"], (await AskAsync(nodes, nodes.Caller, Vip, 3001, 2)).Order());

        nodes.Serve(nodes.Web2, "web2");
        await UntilAsync(() => nodes.First.Network.DescribeEjected().Count == 0, nodes.Limit);
        await AllAnswerAsync(nodes, nodes.Caller, Vip, 3000);
        Assert.Contains(nodes.First.Log.Lines, l => l.Contains("Backend 10.0.1.4:3000/tcp of service web answers again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_mesh_leaves_a_refusing_backend_out_as_well()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await KnownAsync(nodes, nodes.Client, "198.18.5.1", 8000, "", "tcp . 8000");
        Close(nodes.Server2);
        Assert.Equal(["web1 198.18.5.9", "web1 198.18.5.9"], await AskAsync(nodes, nodes.Client, "198.18.5.1", 8000, 2));
        Assert.Equal("10.0.0.6:3000/tcp", Assert.Single(nodes.First.Network.DescribeEjected()).Backend);

        Assert.Equal(["web1 198.18.5.9", "web1 198.18.5.9", "web1 198.18.5.9"], await AtOnceAsync(nodes, nodes.Client, "198.18.5.1", 8000, 3));

        nodes.Serve(nodes.Web2, "web2");
        await UntilAsync(() => nodes.First.Network.DescribeEjected().Count == 0, nodes.Limit);
        await AllAnswerAsync(nodes, nodes.Client, "198.18.5.1", 8000);
    }

    [Fact]
    public async Task When_all_refuse_the_client_is_refused_at_once_and_so_it_is_on_a_port_that_nobody_serves()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await RefusedAtOnceAsync(nodes, 3999);
        Assert.Empty(nodes.First.Network.DescribeEjected());

        await KnownAsync(nodes, nodes.Caller, Vip, 3000, "2-demoxxxxxx", "10.0.1.2 . tcp . 3000");
        Close(nodes.Server1);
        Close(nodes.Server2);
        // The first is repeated once and refused then.
        await Assert.ThrowsAsync<SocketException>(() => nodes.AskAsync(nodes.Caller, Vip, 3000));
        await UntilAsync(() => nodes.First.Network.DescribeEjected().Count == 2, nodes.Limit);
        await RefusedAtOnceAsync(nodes, 3000);

        nodes.Serve(nodes.Web1, "web1");
        await UntilAsync(() => nodes.First.Network.DescribeEjected().Count == 1, nodes.Limit);
        await nodes.First.UntilDetouredAsync("2-demoxxxxxx", "10.0.1.2 . tcp . 3000 : jump", nodes.Limit);
        Assert.Equal(["web1 10.0.1.5", "web1 10.0.1.5", "web1 10.0.1.5"], await AskAsync(nodes, nodes.Caller, Vip, 3000, 3));
    }

    [Fact]
    public async Task A_datagram_that_is_refused_moves_its_client_to_another_backend()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var server = NamespaceFixture.OpenSocket(nodes.Web1, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Any, 5000));
        using var client = NamespaceFixture.OpenSocket(nodes.Caller, SocketType.Dgram, ProtocolType.Udp);
        await client.ConnectAsync(new IPEndPoint(IPAddress.Parse(Vip), 5000), nodes.Limit);
        using var other = NamespaceFixture.OpenSocket(nodes.Caller, SocketType.Dgram, ProtocolType.Udp);
        await other.ConnectAsync(new IPEndPoint(IPAddress.Parse(Vip), 5000), nodes.Limit);

        // Of two clients one is led to web2, which refuses.
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (nodes.First.Network.DescribeEjected().Count == 0)
        {
            Send(client, "client");
            Send(other, "other");
            await again.WaitForNextTickAsync(nodes.Limit);
        }

        var left = Assert.Single(nodes.First.Network.DescribeEjected());
        Assert.Equal(("10.0.1.4:5000/udp", "ICMP port unreachable"), (left.Backend, left.Reason));
        var heard = new HashSet<string>(StringComparer.Ordinal);
        while (heard.Count < 2)
        {
            Send(client, "client");
            Send(other, "other");
            var buffer = new byte[64];
            heard.Add(Encoding.ASCII.GetString(buffer, 0, await server.ReceiveAsync(buffer, nodes.Limit)));
        }

        Assert.Equal(["client", "other"], heard.Order());
    }

    [Fact]
    public async Task A_backend_that_takes_no_answer_any_more_to_what_it_asked_refuses_no_client()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var asked = NamespaceFixture.OpenSocket(nodes.Caller, SocketType.Dgram, ProtocolType.Udp);
        asked.Bind(new IPEndPoint(IPAddress.Any, 5000));
        using (var backend = NamespaceFixture.OpenSocket(nodes.Web1, SocketType.Dgram, ProtocolType.Udp))
        {
            await backend.SendToAsync("?"u8.ToArray(), new IPEndPoint(IPAddress.Parse("10.0.1.5"), 5000), nodes.Limit);
            var heard = await asked.ReceiveFromAsync(new byte[8], new IPEndPoint(IPAddress.Any, 0), nodes.Limit);
            await asked.ConnectAsync(heard.RemoteEndPoint, nodes.Limit);
        }

        await asked.SendAsync("late"u8.ToArray(), nodes.Limit);
        var refusal = await Assert.ThrowsAsync<SocketException>(() => asked.ReceiveAsync(new byte[8], nodes.Limit).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);

        // Signs are heard in their order: the next one is the first.
        using var client = NamespaceFixture.OpenSocket(nodes.Caller, SocketType.Dgram, ProtocolType.Udp);
        await client.ConnectAsync(new IPEndPoint(IPAddress.Parse("10.0.1.3"), 5001), nodes.Limit);
        Send(client, "client");
        await UntilAsync(() => nodes.First.Network.DescribeEjected().Count > 0, nodes.Limit);
        Assert.Equal("10.0.1.3:5001/udp", Assert.Single(nodes.First.Network.DescribeEjected()).Backend);
        Assert.Single(nodes.First.Log.Lines, l => l.Contains("refuses", StringComparison.Ordinal));
    }

    // A program that another test starts has a copy of the listening socket for a moment.
    private static void Close(Socket listener)
    {
        listener.Dispose();
        ForkedCopies.WaitOut();
    }

    private static void Send(Socket socket, string text)
    {
        try
        {
            socket.Send(Encoding.ASCII.GetBytes(text));
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // The datagram before this one was refused; its client is told with the next.
        }
    }

    // Both answer, and the rules know it.
    private static async Task KnownAsync(TwoNodes nodes, NetworkNamespace from, string address, int port, string space, string element)
    {
        await AskAsync(nodes, from, address, port, 2);
        await nodes.First.UntilRetriedAsync(space, element, nodes.Limit);
    }

    private static async Task<List<string>> AskAsync(TwoNodes nodes, NetworkNamespace from, string address, int port, int times)
    {
        var answers = new List<string>();
        for (var i = 0; i < times; i++)
        {
            answers.Add(await nodes.AskAsync(from, address, port));
        }

        return answers;
    }

    private static async Task AllAnswerAsync(TwoNodes nodes, NetworkNamespace from, string address, int port)
    {
        var heard = new HashSet<string>(StringComparer.Ordinal);
        while (heard.Count < 2)
        {
            heard.Add(await nodes.AskAsync(from, address, port));
        }
    }

    // Nothing was lost: no SYN had to be sent a second time.
    private static async Task<List<string>> AtOnceAsync(TwoNodes nodes, NetworkNamespace from, string address, int port, int times)
    {
        var greetings = new List<string>();
        for (var i = 0; i < times; i++)
        {
            using var flow = await nodes.ConnectAsync(from, address, port);
            greetings.Add(flow.Greeting);
            Assert.Equal(0, flow.Resent);
        }

        return greetings;
    }

    // By the first SYN, not by the second a second later.
    private static async Task RefusedAtOnceAsync(TwoNodes nodes, int port)
    {
        using var socket = NamespaceFixture.OpenSocket(nodes.Caller, SocketType.Stream, ProtocolType.Tcp);
        var refusal = await Assert.ThrowsAsync<SocketException>(() => socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(Vip), port), nodes.Limit).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        Assert.Equal(0, TcpInfo.Resent(socket));
    }

    private static async Task UntilAsync(Func<bool> condition, CancellationToken limit)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            await again.WaitForNextTickAsync(limit);
        }
    }
}
