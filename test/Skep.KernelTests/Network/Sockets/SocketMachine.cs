using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Bpf;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network.Sockets;

/// <summary>
/// One machine with socket balancing and two networks that have the same addresses. On each, web is 10.9.0.2 and fd09::2, with tasks at .3, .4 and
/// .5 of which each answers with its name; a client is at .9. Sockets come from the machine's own control group.
/// </summary>
internal sealed class SocketMachine : IAsyncDisposable
{
    public const int Port = 3000;
    public static readonly string[] Tasks = ["a", "b", "c"];

    private readonly NamespaceFixture _namespaces = new("sock");
    private readonly CgroupFixture _groups = new();
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));
    private readonly List<IDisposable> _held = [];
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"sockets-{Environment.ProcessId}-{Guid.NewGuid():n}");

    private readonly bool _shares;

    private SocketMachine(string? group)
    {
        _shares = group is not null;
        var host = _namespaces.Create("host");
        using var routes = RouteNetlink.Open(host);
        routes.AddAddress(routes.FindLink("lo")!.Index, IPAddress.Parse("198.18.6.1"), 32);
        Group = group ?? _groups.Create("machine");
        Node = new TestNode("node1", host, "198.18.6.1", _folder, Group);
    }

    public TestNode Node { get; }
    public string Group { get; }
    public Dictionary<string, NetworkNamespace> Spaces { get; } = new(StringComparer.Ordinal);
    public CancellationToken Limit => _limit.Token;
    public static PlanNetwork Red { get; } = NetworkOf("red", 4101);
    public static PlanNetwork Blue { get; } = NetworkOf("blue", 4102);
    public static IPEndPoint Vip4 { get; } = new(IPAddress.Parse("10.9.0.2"), Port);
    public static IPEndPoint Vip6 { get; } = new(IPAddress.Parse("fd09::2"), Port);

    /// <summary>The VIP as a socket of both families is given it.</summary>
    public static IPEndPoint Mapped { get; } = new(IPAddress.Parse("::ffff:10.9.0.2"), Port);

    /// <param name="settle">Changes what the machine is told of the services.</param>
    /// <param name="group">The control group of another machine, to share; null makes an own one.</param>
    public static async Task<SocketMachine> StartAsync(Func<PlanService, PlanService>? settle = null, string? group = null)
    {
        var machine = new SocketMachine(group);
        try
        {
            machine.Node.Start();
            await machine.ApplyAsync(Plan(1, settle: settle));
            await machine.AttachAllAsync();
            foreach (var (name, space) in machine.Spaces.Where(s => !s.Key.EndsWith("client", StringComparison.Ordinal)))
            {
                machine.Serve(space, name);
            }

            return machine;
        }
        catch (Exception failure)
        {
            await machine.DisposeAsync();
            throw new InvalidOperationException(string.Join('\n', machine.Node.Log.Lines), failure);
        }
    }

    public async Task AttachAllAsync()
    {
        foreach (var network in new[] { Red, Blue })
        {
            foreach (var (task, last) in Tasks.Append("client").Zip([3, 4, 5, 9]))
            {
                var name = $"{network.Name}-{task}";
                var request = new SandboxRequest(TestNode.ContainerOf(name), name)
                {
                    Name = name,
                    Attachments = [new SandboxAttachment(network, [$"10.9.0.{last}/24", $"fd09::{last}/64"])],
                };
                Spaces[name] = await Node.AttachAsync(request, Limit);
                _held.Add(Spaces[name]);
            }
        }
    }

    public Task ApplyAsync(NodePlan plan) => Node.ApplyAsync(plan, Limit);

    /// <summary>Both networks with those of <paramref name="states"/> that are named; all are active otherwise.</summary>
    public static NodePlan Plan(ulong revision, IReadOnlyDictionary<string, EndpointState?>? states = null, Func<PlanService, PlanService>? settle = null) => new()
    {
        Revision = revision,
        Networks = new[] { Red, Blue }.ToImmutableDictionary(n => n.Id, n => new NetworkPlan(n)
        {
            Peers = ImmutableDictionary<string, PlanPeer>.Empty.Add("node1", new PlanPeer(n.Id, "node1", "198.18.6.1")),
            Services = ImmutableDictionary<string, PlanService>.Empty.Add("web", (settle ?? (s => s))(new PlanService(n.Id, "web", "web", ["10.9.0.2/24", "fd09::2/64"]))),
            Endpoints = Tasks.Zip([3, 4, 5])
                .Where(t => states?.GetValueOrDefault(t.First, EndpointState.Active) is not null || states is null)
                .Select(t => new PlanEndpoint(n.Id, $"{n.Name}-{t.First}", "node1", [$"10.9.0.{t.Second}/24", $"fd09::{t.Second}/64"])
                {
                    ServiceId = "web",
                    State = states?.GetValueOrDefault(t.First, EndpointState.Active) ?? EndpointState.Active,
                })
                .ToImmutableDictionary(e => e.TaskId),
        }),
    };

    /// <summary>One network alone. What packet rules find out of an address is of one network only.</summary>
    public static NodePlan Of(PlanNetwork network, ulong revision, Func<PlanService, PlanService>? settle = null)
    {
        var plan = Plan(revision, settle: settle);
        return plan with { Networks = plan.Networks.RemoveRange(plan.Networks.Keys.Where(id => id != network.Id)) };
    }

    /// <summary>A socket of a task: made in its namespace, by a process in the machine's control group.</summary>
    public Socket Open(string space, AddressFamily family, ProtocolType protocol)
    {
        var type = protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram;
        var socket = CgroupFixture.Run(Group, () => NamespaceFixture.OpenSocket(Spaces[space], type, protocol, family));
        if (family == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = true;
        }

        _held.Add(socket);
        return socket;
    }

    /// <summary>Connects; the name that answers, and the open socket.</summary>
    public async Task<(string Name, Socket Socket)> ConnectAsync(string space, IPEndPoint to)
    {
        var socket = Open(space, to.AddressFamily, ProtocolType.Tcp);
        await socket.ConnectAsync(to, Limit);
        return (await ReadAsync(socket), socket);
    }

    /// <summary>The names that so many connections meet.</summary>
    public async Task<string> AskAsync(string space, IPEndPoint to, int times)
    {
        var names = new List<string>();
        for (var i = 0; i < times; i++)
        {
            var (name, socket) = await ConnectAsync(space, to);
            names.Add(name);
            socket.Dispose();
        }

        return string.Join(' ', names);
    }

    /// <summary>The next piece that the other end sends.</summary>
    public async Task<string> ReadAsync(Socket socket)
    {
        var buffer = new byte[100];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Limit);
        patience.CancelAfter(TimeSpan.FromSeconds(3));
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token));
    }

    /// <summary>Sends a datagram; what answers, and whom it seems to come from. A null address sends to the connected peer.</summary>
    public async Task<(string Name, IPEndPoint From)> ExchangeAsync(Socket socket, IPEndPoint? to)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Limit);
        patience.CancelAfter(TimeSpan.FromSeconds(3));
        if (to is null)
        {
            await socket.SendAsync("?"u8.ToArray(), patience.Token);
        }
        else
        {
            await socket.SendToAsync("?"u8.ToArray(), to, patience.Token);
        }

        var buffer = new byte[100];
        var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var answer = await socket.ReceiveFromAsync(buffer, any, patience.Token);
        return (Encoding.ASCII.GetString(buffer, 0, answer.ReceivedBytes), (IPEndPoint)answer.RemoteEndPoint);
    }

    /// <summary>getpeername(2), which .NET asks once and then remembers.</summary>
    public static IPEndPoint PeerOf(Socket socket)
    {
        using var again = new Socket(new SafeSocketHandle(socket.Handle, ownsHandle: false));
        return (IPEndPoint)again.RemoteEndPoint!;
    }

    /// <summary>The names of all programs that are attached to the machine's group.</summary>
    public IReadOnlyList<string> Attached()
    {
        using var group = new CgroupPrograms(Group);
        return [.. Enum.GetValues<SocketHook>().SelectMany(group.Query).Select(id =>
        {
            using var program = BpfProgram.OpenById(id);
            return program!.Name;
        })];
    }

    /// <summary>A map that the attached programs use.</summary>
    public BpfMap Map(string name)
    {
        using var group = new CgroupPrograms(Group);
        using var program = BpfProgram.OpenById(group.Query(SocketHook.SendMessage4)[0]);
        return program!.MapIds.Select(id => BpfMap.OpenById(id)!).First(m => m.Shape.Name == name);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var held in _held)
        {
            held.Dispose();
        }

        await Node.DisposeAsync();
        var left = _shares ? [] : Attached();
        _namespaces.Dispose();
        _groups.Dispose();
        _limit.Dispose();
        Assert.Empty(left);
    }

    private static PlanNetwork NetworkOf(string name, uint vni) => new($"{name}xxxxxxxxxxxxxxxxxxxxxx", name, vni, [new IpamConfig { Subnet = "10.9.0.0/24", Gateway = "10.9.0.1" }, new IpamConfig { Subnet = "fd09::/64", Gateway = "fd09::1" }])
    {
        EnableIPv6 = true,
    };

    /// <summary>The red network's namespace, by its file.</summary>
    public string RedSpace => Path.GetFileName(Directory.EnumerateFiles(Node.PathOf("")).First(f => f.EndsWith("-redxxxxxxx", StringComparison.Ordinal)));

    /// <summary>The task's servers, which answer with its name; disposing them closes its ports.</summary>
    public Dictionary<string, Socket[]> Servers { get; } = new(StringComparer.Ordinal);

    public void Serve(NetworkNamespace space, string name)
    {
        var answer = Encoding.ASCII.GetBytes(name);
        var streams = NamespaceFixture.OpenSocket(space, SocketType.Stream, ProtocolType.Tcp, AddressFamily.InterNetworkV6);
        var datagrams = NamespaceFixture.OpenSocket(space, SocketType.Dgram, ProtocolType.Udp, AddressFamily.InterNetworkV6);
        foreach (var socket in new[] { streams, datagrams })
        {
            socket.DualMode = true;
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, Port));
            _held.Add(socket);
        }

        Servers[name] = [streams, datagrams];
        streams.Listen();
        _ = WhileOpenAsync(async () => _ = EchoAsync(await streams.AcceptAsync(Limit), answer));
        var buffer = new byte[100];
        _ = WhileOpenAsync(async () => await datagrams.SendToAsync(answer, (await datagrams.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.IPv6Any, 0), Limit)).RemoteEndPoint, Limit));
    }

    private async Task EchoAsync(Socket socket, byte[] greeting)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        await WhileOpenAsync(async () =>
        {
            await stream.WriteAsync(greeting, Limit);
            await stream.CopyToAsync(stream, Limit);
            throw new OperationCanceledException();
        });
    }

    private static async Task WhileOpenAsync(Func<Task> body)
    {
        try
        {
            while (true)
            {
                await body();
            }
        }
        catch (Exception closed) when (closed is OperationCanceledException or SocketException or ObjectDisposedException or IOException)
        {
        }
    }
}
