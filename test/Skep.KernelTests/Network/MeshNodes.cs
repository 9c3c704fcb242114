using System.Collections.Immutable;
using System.Globalization;
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
/// Two machines and a client on one wire, each with an address of both families. The service web has one task, on the first machine,
/// published as 8000 to 3000 by TCP and UDP; a container without ports is on each machine.
/// </summary>
internal sealed class MeshNodes : IAsyncDisposable
{
    public const int Published = 8000;

    /// <summary>Published as well, and nobody listens behind it.</summary>
    public const int Deaf = 8001;

    public const int Target = 3000;

    /// <summary>Of the containers without published ports.</summary>
    public const int HostPort = 9090;

    /// <summary>Their service.</summary>
    public const string Hosted = "hosted";
    private const string Four = "198.18.7.";
    private const string Six = "fd07::";

    private readonly NamespaceFixture _namespaces = new("mesh");
    private readonly NetworkNamespace _lan;
    private readonly List<IDisposable> _open = [];
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(90));

    private MeshNodes()
    {
        _lan = _namespaces.Create("lan");
        using (var routes = RouteNetlink.Open(_lan))
        {
            routes.AddBridge("lan");
            routes.SetLink(routes.FindLink("lan")!.Index, new LinkChange { Up = true });
        }

        Client = Machine("client", 9);
        var folder = Path.Combine(Path.GetTempPath(), $"mesh-{Environment.ProcessId}-{Guid.NewGuid():n}");
        First = new TestNode("node1", Machine("node1", 1), Four + "1", folder + "-1");
        Second = new TestNode("node2", Machine("node2", 2), Four + "2", folder + "-2");
    }

    public static PlanNetwork Ingress { get; } = new(
        "ingressxxxxxxxxxxxxxxxxxx", "ingress", 4096,
        [new IpamConfig { Subnet = "10.0.0.0/24", Gateway = "10.0.0.1" }, new IpamConfig { Subnet = "fd00:0:0:5::/64", Gateway = "fd00:0:0:5::1" }])
    {
        Ingress = true,
        EnableIPv6 = true,
    };

    public TestNode First { get; }
    public TestNode Second { get; }
    public NetworkNamespace Client { get; }
    public NetworkNamespace Web { get; private set; } = null!;
    public NetworkNamespace Spare { get; private set; } = null!;
    public NetworkNamespace Container1 { get; private set; } = null!;
    public NetworkNamespace Container2 { get; private set; } = null!;
    public CancellationToken Limit => _limit.Token;

    public static async Task<MeshNodes> StartAsync()
    {
        var nodes = new MeshNodes();
        try
        {
            nodes.First.Start();
            nodes.Second.Start();
            await nodes.ApplyAsync(Plan(1));
            await nodes.AttachAsync();
            nodes.Serve(nodes.Web, "web");
            nodes.Serve(nodes.Spare, "spare");
            nodes.Serve(nodes.Container1, "container1");
            return nodes;
        }
        catch (Exception failure)
        {
            await nodes.DisposeAsync();
            throw new InvalidOperationException(string.Join('\n', nodes.First.Log.Lines.Concat(nodes.Second.Log.Lines)), failure);
        }
    }

    /// <summary>Attaches every container, or finds it again after a restart.</summary>
    public async Task AttachAsync()
    {
        Web = Kept(await First.AttachAsync(Request("web", 5), Limit));
        Container1 = Kept(await First.AttachAsync(Request("container1", null), Limit));
        Spare = Kept(await Second.AttachAsync(Request("spare", 6), Limit));
        Container2 = Kept(await Second.AttachAsync(Request("container2", null), Limit));
    }

    public Task ApplyAsync(NodePlan plan) => Task.WhenAll(First.ApplyAsync(plan, Limit), Second.ApplyAsync(plan, Limit));

    /// <summary>The service's tasks: web on the first machine, spare on the second; none.</summary>
    public static NodePlan Plan(ulong revision, params string[] tasks) => new()
    {
        Revision = revision,
        Networks = ImmutableDictionary<string, NetworkPlan>.Empty.Add(Ingress.Id, new NetworkPlan(Ingress)
        {
            Peers = new[] { 1, 2 }.ToImmutableDictionary(n => $"node{n}", n => new PlanPeer(Ingress.Id, $"node{n}", $"{Four}{n}")
            {
                IngressAddress = $"{Inside(AddressFamily.InterNetwork, n)}/24",
                IngressAddress6 = $"{Inside(AddressFamily.InterNetworkV6, n)}/64",
            }),
            Endpoints = (tasks is [] ? ["web"] : tasks).Where(t => t != "none").ToImmutableDictionary(t => t, t => new PlanEndpoint(Ingress.Id, t, t == "web" ? "node1" : "node2", Prefixes(t == "web" ? 5 : 6))
            {
                ServiceId = "web",
                State = EndpointState.Active,
            }),
            Services = ImmutableDictionary<string, PlanService>.Empty.Add("web", new PlanService(Ingress.Id, "web", "web", ["10.0.0.4/24", "fd00:0:0:5::4/64"])
            {
                Ports =
                [
                    .. from protocol in new[] { "tcp", "udp" }
                       from port in new[] { (From: Published, To: Target), (From: Deaf, To: Target + 1) }
                       select new PortConfig { Protocol = protocol, PublishedPort = (uint)port.From, TargetPort = (uint)port.To },
                ],
            }),
        }),
    };

    /// <summary>The plan with a service changed; one that is not there begins without ports.</summary>
    public static NodePlan With(NodePlan plan, string service, Func<PlanService, PlanService> change)
    {
        var ingress = plan.Networks[Ingress.Id];
        var before = ingress.Services.GetValueOrDefault(service, new PlanService(Ingress.Id, service, service, []));
        return plan with { Networks = plan.Networks.SetItem(Ingress.Id, ingress with { Services = ingress.Services.SetItem(service, change(before)) }) };
    }

    /// <summary>A machine's own address: 1 and 2 are nodes, 9 the client.</summary>
    public static string Outside(AddressFamily family, int machine) =>
        string.Create(CultureInfo.InvariantCulture, $"{(family == AddressFamily.InterNetwork ? Four : Six)}{machine}");

    /// <summary>The address of a node's ingress_sbox.</summary>
    public static string Inside(AddressFamily family, int node) =>
        string.Create(CultureInfo.InvariantCulture, $"{(family == AddressFamily.InterNetwork ? "10.0.0.1" : "fd00:0:0:5::1")}{node}");

    public static string Loopback(AddressFamily family) => family == AddressFamily.InterNetwork ? "127.0.0.1" : "::1";

    /// <summary>A connected socket, from the given port of its namespace if it is to have one.</summary>
    public async Task<Socket> ConnectAsync(NetworkNamespace from, string address, ProtocolType protocol, int port = Published, int own = 0)
    {
        using var patience = Patience();
        var to = new IPEndPoint(IPAddress.Parse(address), port);
        var socket = NamespaceFixture.OpenSocket(from, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, protocol, to.AddressFamily);
        _open.Add(socket);
        if (own != 0)
        {
            socket.Bind(new IPEndPoint(to.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, own));
        }

        await socket.ConnectAsync(to, patience.Token);
        return socket;
    }

    /// <summary>Sends <paramref name="text"/>; the answer is the server's name, the address that it saw, and the text.</summary>
    public async Task<string> SayAsync(Socket socket, string text)
    {
        using var patience = Patience();
        await socket.SendAsync(Encoding.ASCII.GetBytes(text), patience.Token);
        var buffer = new byte[65536];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token));
    }

    /// <summary>One new flow: <c>web 198.18.7.9</c>.</summary>
    public async Task<string> AskAsync(NetworkNamespace from, string address, ProtocolType protocol, int port = Published)
    {
        using var socket = await ConnectAsync(from, address, protocol, port);
        return string.Join(' ', (await SayAsync(socket, "?")).Split(' ')[..2]);
    }

    public async ValueTask DisposeAsync()
    {
        _open.ForEach(o => o.Dispose());
        await First.DisposeAsync();
        await Second.DisposeAsync();
        _namespaces.Dispose();
        _limit.Dispose();
    }

    private static string[] Prefixes(int host) => [$"10.0.0.{host}/24", $"fd00:0:0:5::{host}/64"];

    private static SandboxRequest Request(string task, int? host) => new(TestNode.ContainerOf(task), task)
    {
        ServiceId = host is null ? Hosted : "web",
        Name = task,
        Attachments = host is null ? [] : [new SandboxAttachment(Ingress, Prefixes(host.Value))],
        // Which gives it an IPv6 address on the gateway bridge, too.
        HostPorts = host is null
            ? [.. new[] { "tcp", "udp" }.Select(p => new PortConfig { Protocol = p, PublishedPort = HostPort, TargetPort = Target, PublishMode = PortConfig.Host })]
            : [],
    };

    private NetworkNamespace Machine(string name, int number)
    {
        var machine = _namespaces.Create(name);
        using var routes = RouteNetlink.Open(_lan);
        using var inside = RouteNetlink.Open(machine);
        NamespaceFixture.Join(machine, "e0", $"{Outside(AddressFamily.InterNetwork, number)}/24", _lan, name, "127.0.7.1/32");
        inside.AddAddress(inside.FindLink("e0")!.Index, IPAddress.Parse(Outside(AddressFamily.InterNetworkV6, number)), 64);
        routes.SetLink(routes.FindLink(name)!.Index, new LinkChange { Master = routes.FindLink("lan")!.Index });
        return machine;
    }

    public NetworkNamespace Kept(NetworkNamespace ns)
    {
        _open.Add(ns);
        return ns;
    }

    private CancellationTokenSource Patience()
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(Limit);
        patience.CancelAfter(TimeSpan.FromSeconds(3));
        return patience;
    }

    // As most servers do: bound to no address, one socket for both families.
    public void Serve(NetworkNamespace ns, string name, int port = Target, string? address = null)
    {
        var listener = Bound(ns, SocketType.Stream, ProtocolType.Tcp, port, address);
        listener.Listen();
        _ = AcceptAsync(listener, name);
        _ = AnswerAsync(Bound(ns, SocketType.Dgram, ProtocolType.Udp, port, address), name);
    }

    private Socket Bound(NetworkNamespace ns, SocketType type, ProtocolType protocol, int port, string? address)
    {
        var own = IPAddress.Parse(address ?? "::");
        var socket = NamespaceFixture.OpenSocket(ns, type, protocol, own.AddressFamily);
        if (own.AddressFamily == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = address is null;
        }

        socket.Bind(new IPEndPoint(own, port));
        _open.Add(socket);
        return socket;
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
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task EchoAsync(Socket socket, string name)
    {
        var buffer = new byte[65536];
        try
        {
            using (socket)
            {
                while (await socket.ReceiveAsync(buffer, Limit) is > 0 and var length)
                {
                    await socket.SendAsync(Answer(name, socket.RemoteEndPoint!, buffer.AsSpan(0, length)), Limit);
                }
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(Socket socket, string name)
    {
        var buffer = new byte[65536];
        var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, any, Limit);
                await socket.SendToAsync(Answer(name, received.RemoteEndPoint, buffer.AsSpan(0, received.ReceivedBytes)), received.RemoteEndPoint, Limit);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private static byte[] Answer(string name, EndPoint from, ReadOnlySpan<byte> text)
    {
        var address = ((IPEndPoint)from).Address;
        return Encoding.ASCII.GetBytes($"{name} {(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)} {Encoding.ASCII.GetString(text)}");
    }
}
