using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Namespaces;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>A client that asks in datagrams and never changes its port loses nothing when its backend drains.</summary>
public sealed class DatagramDrainTests
{
    public static TheoryData<string, string, int> Ways => new()
    {
        { "a task asks the virtual address", "10.0.1.2", 3000 },
        { "another machine asks the first node", "198.18.5.1", 8000 },
        { "another machine asks the second node", "198.18.5.2", 8000 },
        { "the node asks itself over its loopback", "127.0.0.1", 8000 },
        { "a container asks its node's published port", "198.18.5.1", 8000 },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_answer_under_way_arrives_and_the_next_request_goes_elsewhere(string who, string address, int port)
    {
        await using var nodes = await TwoNodes.StartAsync();
        await nodes.ApplyAsync(Plan(2));
        // A datagram's answer leaves by the way that its source address belongs to.
        var mesh = port == 8000;
        using var one = Bound(nodes.Web1, 3000, mesh ? "10.0.0.5" : "10.0.1.3");
        using var two = Bound(nodes.Web2, 3000, mesh ? "10.0.0.6" : "10.0.1.4");
        var from = who.Contains("machine", StringComparison.Ordinal) ? nodes.Client : who.Contains("itself", StringComparison.Ordinal) ? nodes.First.Host : nodes.Caller;
        using var client = Bound(from, 5555);
        await client.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), nodes.Limit);

        await client.SendAsync("a"u8.ToArray(), nodes.Limit);
        var (served, other) = await Task.WhenAny(WaitAsync(one, nodes), WaitAsync(two, nodes)) is { } first && await first == one ? (one, two) : (two, one);
        var asker = await AnswerAsync(served, "first", nodes);
        Assert.Equal("first", await HearAsync(client, nodes));
        await client.SendAsync("b"u8.ToArray(), nodes.Limit);
        Assert.Equal(asker, await TakeAsync(served, nodes));

        // The request is with the backend, and now that drains.
        await nodes.ApplyAsync(served == one ? Plan(3, web1: EndpointState.Draining) : Plan(3, web2: EndpointState.Draining));
        await SayAsync(served, asker, "late", nodes);
        Assert.Equal("late", await HearAsync(client, nodes));

        await client.SendAsync("c"u8.ToArray(), nodes.Limit);
        await SayAsync(served, asker, "twice", nodes);
        Assert.Equal("twice", await HearAsync(client, nodes));
        await AnswerAsync(other, "other", nodes);
        Assert.Equal("other", await HearAsync(client, nodes));
        Assert.Equal(0, served.Available);

        // The other drains too, and then another task with the first one's address: each answer under way arrives.
        await client.SendAsync("d"u8.ToArray(), nodes.Limit);
        var again = await TakeAsync(other, nodes);
        await nodes.ApplyAsync(served == one ? Plan(4, web2: EndpointState.Draining) : Plan(4, web1: EndpointState.Draining));
        await SayAsync(other, again, "second", nodes);
        Assert.Equal("second", await HearAsync(client, nodes));
        await client.SendAsync("e"u8.ToArray(), nodes.Limit);
        asker = await TakeAsync(served, nodes);
        await nodes.ApplyAsync(served == one ? Plan(5, web1: EndpointState.Draining) : Plan(5, web2: EndpointState.Draining))
            .WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System, nodes.Limit);
        await SayAsync(served, asker, "third", nodes);
        Assert.Equal("third", await HearAsync(client, nodes));
    }

    [Fact]
    public async Task Flows_that_nobody_translated_and_flows_to_others_stay()
    {
        await using var nodes = await TwoNodes.StartAsync();
        await nodes.ApplyAsync(Plan(2));
        using var one = Bound(nodes.Web1, 3000);
        using var caller = Bound(nodes.Caller, 5555);
        await caller.ConnectAsync(new IPEndPoint(IPAddress.Parse("10.0.1.3"), 3000), nodes.Limit);
        await caller.SendAsync("direct"u8.ToArray(), nodes.Limit);
        await AnswerAsync(one, "yes", nodes);
        Assert.Equal("yes", await HearAsync(caller, nodes));

        await nodes.ApplyAsync(Plan(3, web1: EndpointState.Draining));

        using var space = nodes.First.Open("2-demoxxxxxx");
        using var flows = ConntrackTable.Open(space);
        Assert.Single(flows.Entries(new ConntrackFilter { ReplySource = IPAddress.Parse("10.0.1.3"), Protocol = 17 }));
    }

    private static NodePlan Plan(ulong revision, EndpointState web1 = EndpointState.Active, EndpointState web2 = EndpointState.Active)
    {
        var plan = TwoNodes.Plan(revision, web1, web2);
        var ingress = plan.Networks[TwoNodes.Ingress.Id];
        var web = ingress.Services["web"];
        var ports = ImmutableArray.Create(web.Ports[0], new PortConfig { Protocol = "udp", PublishedPort = 8000, TargetPort = 3000 });
        return plan with { Networks = plan.Networks.SetItem(TwoNodes.Ingress.Id, ingress with { Services = ingress.Services.SetItem("web", web with { Ports = ports }) }) };
    }

    private static Socket Bound(NetworkNamespace ns, int port, string address = "0.0.0.0")
    {
        var socket = NamespaceFixture.OpenSocket(ns, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        return socket;
    }

    private static async Task<Socket> WaitAsync(Socket socket, TwoNodes nodes)
    {
        await socket.ReceiveFromAsync(Memory<byte>.Empty, SocketFlags.Peek, new IPEndPoint(IPAddress.Any, 0), nodes.Limit);
        return socket;
    }

    private static async Task<EndPoint> TakeAsync(Socket socket, TwoNodes nodes) =>
        (await socket.ReceiveFromAsync(new byte[64], SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), nodes.Limit).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(3), TimeProvider.System, nodes.Limit)).RemoteEndPoint;

    private static async Task SayAsync(Socket socket, EndPoint to, string words, TwoNodes nodes) =>
        await socket.SendToAsync(Encoding.ASCII.GetBytes(words), SocketFlags.None, to, nodes.Limit);

    private static async Task<EndPoint> AnswerAsync(Socket socket, string words, TwoNodes nodes)
    {
        var asker = await TakeAsync(socket, nodes);
        await SayAsync(socket, asker, words, nodes);
        return asker;
    }

    private static async Task<string> HearAsync(Socket client, TwoNodes nodes)
    {
        var answer = new byte[64];
        var length = await client.ReceiveAsync(answer, SocketFlags.None, nodes.Limit).AsTask().WaitAsync(TimeSpan.FromSeconds(3), TimeProvider.System, nodes.Limit);
        return Encoding.ASCII.GetString(answer, 0, length);
    }
}
