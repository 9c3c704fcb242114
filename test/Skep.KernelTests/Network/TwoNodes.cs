using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>
/// Two machines and a client on one wire. The service web has a task on each, published as 8000 to 3000; the task caller is on
/// the first. web's VIP on the network demo is 10.0.1.2.
/// </summary>
public sealed class TwoNodes : IAsyncDisposable
{
    private readonly NamespaceFixture _namespaces = new("net");
    private readonly List<Socket> _listeners = [];
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));

    private TwoNodes()
    {
        var lan = Lan = _namespaces.Create("lan");
        using (var routes = RouteNetlink.Open(lan))
        {
            routes.AddBridge("lan");
            routes.SetLink(routes.FindLink("lan")!.Index, new LinkChange { Up = true });
        }

        Client = Machine(lan, "client", "198.18.5.9");
        var folder = Path.Combine(Path.GetTempPath(), $"network-{Environment.ProcessId}-{Guid.NewGuid():n}");
        First = new TestNode("node1", Machine(lan, "node1", "198.18.5.1"), "198.18.5.1", folder + "-1");
        Second = new TestNode("node2", Machine(lan, "node2", "198.18.5.2"), "198.18.5.2", folder + "-2");
    }

    public static IPAddress Vip { get; } = IPAddress.Parse("10.0.1.2");
    public static PlanNetwork Ingress { get; } = new("ingressxxxxxxxxxxxxxxxxxx", "ingress", 4096, [new IpamConfig { Subnet = "10.0.0.0/24", Gateway = "10.0.0.1" }]) { Ingress = true };
    public static PlanNetwork Demo { get; } = new("demoxxxxxxxxxxxxxxxxxxxxx", "demo", 4097, [new IpamConfig { Subnet = "10.0.1.0/24", Gateway = "10.0.1.1" }]);

    internal TestNode First { get; }
    internal TestNode Second { get; }
    public NetworkNamespace Client { get; }

    /// <summary>The switch between the machines; its ports have the machines' names, their other ends are e0.</summary>
    public NetworkNamespace Lan { get; }
    public NetworkNamespace Web1 { get; private set; } = null!;
    public NetworkNamespace Web2 { get; private set; } = null!;
    public NetworkNamespace Caller { get; private set; } = null!;

    /// <summary>web's listener in <see cref="Web1"/>.</summary>
    public Socket Server1 { get; private set; } = null!;

    /// <summary>web's listener in <see cref="Web2"/>.</summary>
    public Socket Server2 { get; private set; } = null!;
    public CancellationToken Limit => _limit.Token;

    public static async Task<TwoNodes> StartAsync()
    {
        var nodes = new TwoNodes();
        try
        {
            nodes.First.Start();
            nodes.Second.Start();
            await nodes.ApplyAsync(Plan(1));
            await nodes.AttachAllAsync();
            nodes.Server1 = nodes.Serve(nodes.Web1, "web1");
            nodes.Server2 = nodes.Serve(nodes.Web2, "web2");
            return nodes;
        }
        catch (Exception failure)
        {
            await nodes.DisposeAsync();
            throw new InvalidOperationException(string.Join('\n', nodes.First.Log.Lines.Concat(nodes.Second.Log.Lines)), failure);
        }
    }

    public async Task AttachAllAsync()
    {
        Web1 = await First.AttachAsync(Request("web1", "10.0.0.5/24", "10.0.1.3/24"), Limit);
        Caller = await First.AttachAsync(Request("caller", null, "10.0.1.5/24"), Limit);
        Web2 = await Second.AttachAsync(Request("web2", "10.0.0.6/24", "10.0.1.4/24"), Limit);
    }

    public Task ApplyAsync(NodePlan plan) => Task.WhenAll(First.ApplyAsync(plan, Limit), Second.ApplyAsync(plan, Limit));

    public static NodePlan Plan(ulong revision, EndpointState web1 = EndpointState.Active, EndpointState web2 = EndpointState.Active) => new()
    {
        Revision = revision,
        Networks = ImmutableDictionary<string, NetworkPlan>.Empty
            .Add(Ingress.Id, new NetworkPlan(Ingress)
            {
                Peers = Peers(Ingress, "10.0.0.11/24", "10.0.0.12/24"),
                Endpoints = Endpoints(Endpoint(Ingress, "web1", "node1", "10.0.0.5/24", web1), Endpoint(Ingress, "web2", "node2", "10.0.0.6/24", web2)),
                Services = Services(new PlanService(Ingress.Id, "web", "web", ["10.0.0.4/24"]) { Ports = [new PortConfig { PublishedPort = 8000, TargetPort = 3000 }] }),
            })
            .Add(Demo.Id, new NetworkPlan(Demo)
            {
                Peers = Peers(Demo, null, null),
                Endpoints = Endpoints(
                    Endpoint(Demo, "web1", "node1", "10.0.1.3/24", web1),
                    Endpoint(Demo, "web2", "node2", "10.0.1.4/24", web2),
                    Endpoint(Demo, "caller", "node1", "10.0.1.5/24", EndpointState.Active) with { ServiceId = "caller" }),
                Services = Services(new PlanService(Demo.Id, "web", "web", ["10.0.1.2/24"])),
            }),
    };

    public static NodePlan Without(NodePlan plan, string task) => plan with
    {
        Networks = plan.Networks.ToImmutableDictionary(n => n.Key, n => n.Value with { Endpoints = n.Value.Endpoints.Remove(task) }),
    };

    public static SandboxRequest Request(string task, string? ingress, string demo) => new(TestNode.ContainerOf(task), task)
    {
        Name = task,
        Attachments = ingress is null
            ? [new SandboxAttachment(Demo, [demo])]
            : [new SandboxAttachment(Ingress, [ingress]), new SandboxAttachment(Demo, [demo])],
    };

    /// <summary>Answers every TCP connection on port 3000 with its name and the client's address, then echoes.</summary>
    /// <returns>The listener; closed, the port refuses.</returns>
    public Socket Serve(NetworkNamespace ns, string name, int port = 3000)
    {
        var listener = NamespaceFixture.Listen(ns, port);
        _listeners.Add(listener);
        _ = AcceptAsync(listener, name);
        return listener;
    }

    /// <summary>Connects and reads the greeting: <c>web1 198.18.5.9</c>.</summary>
    public async Task<string> AskAsync(NetworkNamespace from, string address, int port)
    {
        using var flow = await ConnectAsync(from, address, port);
        return flow.Greeting;
    }

    public Task<TestFlow> ConnectAsync(NetworkNamespace from, string address, int port) => ConnectAsync(from, address, port, TimeSpan.FromSeconds(3));

    /// <param name="own">The port that it comes from; 0 = any.</param>
    public async Task<TestFlow> ConnectAsync(NetworkNamespace from, string address, int port, TimeSpan wait, ushort own = 0)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Limit);
        patience.CancelAfter(wait);
        var socket = NamespaceFixture.OpenSocket(from, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (own > 0)
            {
                socket.Bind(new IPEndPoint(IPAddress.Any, own));
            }

            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), patience.Token);
            var reader = new StreamReader(new NetworkStream(socket, ownsSocket: true), Encoding.ASCII);
            return new TestFlow(reader, await reader.ReadLineAsync(patience.Token) ?? "");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Gives a machine's cable this MTU at both ends.</summary>
    public async Task WidthAsync(string machine, int mtu)
    {
        var host = machine == "node1" ? First.Host : Second.Host;
        var text = mtu.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await NamespaceFixture.RunAsync(Lan, "ip", "link", "set", machine, "mtu", text);
        await NamespaceFixture.RunAsync(host, "ip", "link", "set", "e0", "mtu", text);
    }

    /// <summary>Waits until a link has this MTU.</summary>
    public async Task HasMtuAsync(NetworkNamespace ns, string link, int mtu)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var routes = RouteNetlink.Open(ns);
        while (routes.FindLink(link)?.Mtu != mtu)
        {
            await again.WaitForNextTickAsync(Limit);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners)
        {
            listener.Dispose();
        }

        foreach (var ns in new[] { Web1, Web2, Caller })
        {
            ns?.Dispose();
        }

        await First.DisposeAsync();
        await Second.DisposeAsync();
        _namespaces.Dispose();
        _limit.Dispose();
    }

    private NetworkNamespace Machine(NetworkNamespace lan, string name, string address)
    {
        var machine = _namespaces.Create(name);
        using var routes = RouteNetlink.Open(lan);
        NamespaceFixture.Join(machine, "e0", address + "/24", lan, name, "127.0.5.1/32");
        routes.SetLink(routes.FindLink(name)!.Index, new LinkChange { Master = routes.FindLink("lan")!.Index });
        return machine;
    }

    private async Task AcceptAsync(Socket listener, string name)
    {
        try
        {
            while (true)
            {
                _ = EchoAsync(await listener.AcceptAsync(Limit), name);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task EchoAsync(Socket socket, string name)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)socket.RemoteEndPoint!).Address}\n"), Limit);
            await stream.CopyToAsync(stream, Limit);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException)
        {
        }
    }

    private static PlanEndpoint Endpoint(PlanNetwork network, string task, string node, string address, EndpointState state) =>
        new(network.Id, task, node, [address]) { ServiceId = "web", State = state };

    private static ImmutableDictionary<string, PlanEndpoint> Endpoints(params PlanEndpoint[] endpoints) => endpoints.ToImmutableDictionary(e => e.TaskId);

    private static ImmutableDictionary<string, PlanService> Services(PlanService service) =>
        ImmutableDictionary<string, PlanService>.Empty.Add(service.ServiceId, service);

    private static ImmutableDictionary<string, PlanPeer> Peers(PlanNetwork network, string? first, string? second) =>
        ImmutableDictionary<string, PlanPeer>.Empty
            .Add("node1", new PlanPeer(network.Id, "node1", "198.18.5.1") { IngressAddress = first })
            .Add("node2", new PlanPeer(network.Id, "node2", "198.18.5.2") { IngressAddress = second });
}

/// <summary>An open connection whose other end echoes.</summary>
public sealed record TestFlow(StreamReader Reader, string Greeting) : IDisposable
{
    /// <summary>How often something had to be sent again.</summary>
    public int Resent => TcpInfo.Resent(((NetworkStream)Reader.BaseStream).Socket);

    public async Task<string> EchoAsync(string line, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(3));
        await Reader.BaseStream.WriteAsync(Encoding.ASCII.GetBytes(line + "\n"), patience.Token);
        return await Reader.ReadLineAsync(patience.Token) ?? "";
    }

    /// <summary>Ends it by a reset, and returns its greeting.</summary>
    public string Reset()
    {
        ((NetworkStream)Reader.BaseStream).Socket.LingerState = new LingerOption(true, 0);
        Dispose();
        return Greeting;
    }

    public void Dispose() => Reader.Dispose();
}
