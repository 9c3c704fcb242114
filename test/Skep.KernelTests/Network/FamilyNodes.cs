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
using Skep.Testing.Dns;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>
/// Two machines on a wire of one family, with a network of IPv4, one of IPv6 and one of both. The service web has a task on each machine and
/// a VIP per network and family; the task caller is on the first.
/// </summary>
internal sealed class FamilyNodes : IAsyncDisposable
{
    public const int Port = 3000;
    private static readonly IPEndPoint s_names = new(IPAddress.Parse("127.0.0.11"), 53);

    private readonly NamespaceFixture _namespaces = new("fam");
    private readonly List<Socket> _listeners = [];
    private readonly CancellationTokenSource _limit;
    private readonly string[] _vteps;

    private FamilyNodes(AddressFamily underlay, string? socketGroup, TimeSpan limit)
    {
        _limit = new CancellationTokenSource(limit);
        var lan = _namespaces.Create("lan");
        using (var routes = RouteNetlink.Open(lan))
        {
            routes.AddBridge("lan");
            routes.SetLink(routes.FindLink("lan")!.Index, new LinkChange { Up = true });
        }

        _vteps = underlay == AddressFamily.InterNetwork ? ["198.18.6.1", "198.18.6.2"] : ["fd06::1", "fd06::2"];
        var folder = Path.Combine(Path.GetTempPath(), $"family-{Environment.ProcessId}-{Guid.NewGuid():n}");
        First = new TestNode("node1", Machine(lan, "node1", _vteps[0]), _vteps[0], folder + "-1", socketGroup);
        Second = new TestNode("node2", Machine(lan, "node2", _vteps[1]), _vteps[1], folder + "-2");
    }

    public static PlanNetwork Four { get; } = Network("four", 4097, "10.0.4.0/24");
    public static PlanNetwork Six { get; } = Network("six", 4098, "fd00:0:0:6::/64");
    public static PlanNetwork Both { get; } = Network("both", 4099, "10.0.9.0/24", "fd00:0:0:9::/64");

    public TestNode First { get; }
    public TestNode Second { get; }
    public NetworkNamespace Web1 { get; private set; } = null!;
    public NetworkNamespace Web2 { get; private set; } = null!;
    public NetworkNamespace Caller { get; private set; } = null!;
    public CancellationToken Limit => _limit.Token;

    /// <param name="underlay">The wire's family.</param>
    /// <param name="socketGroup">The first machine's control group; null = its tasks are balanced by packet rules alone.</param>
    /// <param name="limit">When the machines end; null = after a minute.</param>
    public static async Task<FamilyNodes> StartAsync(AddressFamily underlay, string? socketGroup = null, TimeSpan? limit = null)
    {
        var nodes = new FamilyNodes(underlay, socketGroup, limit ?? TimeSpan.FromSeconds(60));
        try
        {
            nodes.First.Start();
            nodes.Second.Start();
            var plan = nodes.Plan();
            await Task.WhenAll(nodes.First.ApplyAsync(plan, nodes.Limit), nodes.Second.ApplyAsync(plan, nodes.Limit));
            nodes.Web1 = await nodes.First.AttachAsync(Request("web1", 3), nodes.Limit);
            nodes.Caller = await nodes.First.AttachAsync(Request("caller", 5), nodes.Limit);
            nodes.Web2 = await nodes.Second.AttachAsync(Request("web2", 4), nodes.Limit);
            nodes.Serve(nodes.Web1, "web1");
            nodes.Serve(nodes.Web2, "web2");
            return nodes;
        }
        catch (Exception failure)
        {
            await nodes.DisposeAsync();
            throw new InvalidOperationException(string.Join('\n', nodes.First.Log.Lines.Concat(nodes.Second.Log.Lines)), failure);
        }
    }

    /// <summary>The host part in the family's subnet: 10.0.4.3 or fd00:0:0:6::3; 2 is the VIP.</summary>
    public static string AddressOn(PlanNetwork network, AddressFamily family, int host)
    {
        var subnet = network.Subnets.Select(s => s.Subnet!).First(s => s.Contains(':') == (family == AddressFamily.InterNetworkV6)).Split('/')[0];
        var start = family == AddressFamily.InterNetworkV6 ? subnet : subnet[..^1];
        return IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"{start}{host}")).ToString();
    }

    public static IEnumerable<AddressFamily> FamiliesOf(PlanNetwork network) =>
        network.Subnets.Select(s => s.Subnet!.Contains(':') ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork);

    /// <summary>One new flow from the caller; the server's name and the address that it saw.</summary>
    public async Task<string> AskAsync(NetworkNamespace from, string address, ProtocolType protocol, int port = Port)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Limit);
        patience.CancelAfter(TimeSpan.FromSeconds(3));
        var to = new IPEndPoint(IPAddress.Parse(address), port);
        using var socket = NamespaceFixture.OpenSocket(from, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, protocol, to.AddressFamily);
        await socket.ConnectAsync(to, patience.Token);
        await socket.SendAsync("?"u8.ToArray(), patience.Token);
        var buffer = new byte[200];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token));
    }

    public async Task<IReadOnlyList<string>> NameAsync(string name, ushort type)
    {
        using var socket = NamespaceFixture.OpenSocket(Caller, SocketType.Dgram, ProtocolType.Udp);
        return (await DnsAsker.AskAsync(socket, s_names, DnsMessage.Query(name, type), Limit)).Texts;
    }

    /// <summary>The plan when a task is gone from every network.</summary>
    public NodePlan Without(ulong revision, string task) => TwoNodes.Without(Plan(), task) with { Revision = revision };

    public async ValueTask DisposeAsync()
    {
        _listeners.ForEach(l => l.Dispose());
        foreach (var ns in new[] { Web1, Web2, Caller })
        {
            ns?.Dispose();
        }

        await First.DisposeAsync();
        await Second.DisposeAsync();
        _namespaces.Dispose();
        _limit.Dispose();
    }

    private NodePlan Plan() => new()
    {
        Revision = 1,
        Networks = new[] { Four, Six, Both }.ToImmutableDictionary(n => n.Id, n => new NetworkPlan(n)
        {
            Peers = ImmutableDictionary<string, PlanPeer>.Empty
                .Add("node1", new PlanPeer(n.Id, "node1", _vteps[0])).Add("node2", new PlanPeer(n.Id, "node2", _vteps[1])),
            Endpoints = new[] { ("web1", "node1", 3), ("web2", "node2", 4), ("caller", "node1", 5) }.ToImmutableDictionary(e => e.Item1, e =>
                new PlanEndpoint(n.Id, e.Item1, e.Item2, Prefixes(n, e.Item3))
                {
                    ServiceId = e.Item1 == "caller" ? "caller" : "web",
                    State = EndpointState.Active,
                    Names = [e.Item1],
                }),
            Services = ImmutableDictionary<string, PlanService>.Empty.Add("web", new PlanService(n.Id, "web", "web", Prefixes(n, 2))),
        }),
    };

    private static PlanNetwork Network(string name, uint vni, params string[] subnets) =>
        new(name + new string('x', 21), name, vni, [.. subnets.Select(s => new IpamConfig { Subnet = s })]) { EnableIPv6 = subnets.Any(s => s.Contains(':')) };

    private static string[] Prefixes(PlanNetwork network, int host) =>
        [.. FamiliesOf(network).Select(f => $"{AddressOn(network, f, host)}/{(f == AddressFamily.InterNetwork ? 24 : 64)}")];

    private static SandboxRequest Request(string task, int host) => new(TestNode.ContainerOf(task), task)
    {
        Name = task,
        Attachments = [.. new[] { Four, Six, Both }.Select(n => new SandboxAttachment(n, Prefixes(n, host)))],
        HostPorts = task == "web2" ? [new PortConfig { PublishedPort = 8080, TargetPort = Port, PublishMode = PortConfig.Host }] : [],
    };

    private NetworkNamespace Machine(NetworkNamespace lan, string name, string address)
    {
        var machine = _namespaces.Create(name);
        using var routes = RouteNetlink.Open(lan);
        NamespaceFixture.Join(machine, "e0", address + (address.Contains(':') ? "/64" : "/24"), lan, name, "127.0.6.1/32");
        routes.SetLink(routes.FindLink(name)!.Index, new LinkChange { Master = routes.FindLink("lan")!.Index });
        return machine;
    }

    /// <summary>Answers what is sent to it, by both protocols and both families, with its name and the sender's address.</summary>
    private void Serve(NetworkNamespace ns, string name)
    {
        var listener = Bound(ns, SocketType.Stream, ProtocolType.Tcp);
        listener.Listen();
        _ = AcceptAsync(listener, name);
        foreach (var address in new[] { Four, Six, Both }.SelectMany(n => FamiliesOf(n).Select(f => AddressOn(n, f, name == "web1" ? 3 : 4))))
        {
            var datagrams = NamespaceFixture.OpenSocket(ns, SocketType.Dgram, ProtocolType.Udp, IPAddress.Parse(address).AddressFamily);
            datagrams.Bind(new IPEndPoint(IPAddress.Parse(address), Port));
            _listeners.Add(datagrams);
            _ = AnswerAsync(datagrams, name);
        }
    }

    private Socket Bound(NetworkNamespace ns, SocketType type, ProtocolType protocol)
    {
        var socket = NamespaceFixture.OpenSocket(ns, type, protocol, AddressFamily.InterNetworkV6);
        socket.DualMode = true;
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, Port));
        _listeners.Add(socket);
        return socket;
    }

    private async Task AcceptAsync(Socket listener, string name)
    {
        try
        {
            while (true)
            {
                using var socket = await listener.AcceptAsync(Limit);
                await socket.SendAsync(Greeting(name, socket.RemoteEndPoint!), Limit);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(Socket socket, string name)
    {
        var buffer = new byte[100];
        try
        {
            while (true)
            {
                var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
                var received = await socket.ReceiveFromAsync(buffer, any, Limit);
                await socket.SendToAsync(Greeting(name, received.RemoteEndPoint), received.RemoteEndPoint, Limit);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private static byte[] Greeting(string name, EndPoint from)
    {
        var address = ((IPEndPoint)from).Address;
        return Encoding.ASCII.GetBytes($"{name} {(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)}");
    }
}
