using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Skep.Kernel.Bpf;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network.Fuzz;

/// <summary>
/// Three machines and a client on one wire. The services web and db have a task on each, on the network demo (VIPs 10.0.1.2 and 10.0.1.6) and
/// published as 8000 and 8100; a task caller is on each machine. On machine n, web is 10.0.x.(2+n) and db 10.0.x.(6+n).
/// </summary>
internal sealed class FuzzNodes : IAsyncDisposable
{
    public const int Machines = 3;
    private const int Port = 3000;
    private const string Outside = "198.18.8.";
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(300);
    private static readonly (string Name, int First, int Published)[] s_services = [("web", 2, 8000), ("db", 6, 8100)];
    private static readonly PlanNetwork s_ingress = new("ingressxxxxxxxxxxxxxxxxxx", "ingress", 4096, [new IpamConfig { Subnet = "10.0.0.0/24", Gateway = "10.0.0.1" }]) { Ingress = true };
    private static readonly PlanNetwork s_demo = new("demoxxxxxxxxxxxxxxxxxxxxx", "demo", 4097, [new IpamConfig { Subnet = "10.0.1.0/24", Gateway = "10.0.1.1" }]);

    private readonly NamespaceFixture _namespaces = new("fuzz");
    private readonly CgroupFixture _groups = new();
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(10));
    private readonly List<IDisposable> _held = [];
    private readonly NetworkNamespace _client;
    private readonly string[] _group;

    private FuzzNodes()
    {
        var lan = _namespaces.Create("lan");
        using (var routes = RouteNetlink.Open(lan))
        {
            routes.AddBridge("lan");
            routes.SetLink(routes.FindLink("lan")!.Index, new LinkChange { Up = true });
        }

        _client = Machine(lan, "client", 9);
        _group = [.. Enumerable.Range(1, Machines).Select(n => _groups.Create($"fuzz{n}"))];
        var folder = Path.Combine(Path.GetTempPath(), $"fuzz-{Environment.ProcessId}-{Guid.NewGuid():n}");
        Nodes = [.. Enumerable.Range(1, Machines).Select(n => new TestNode($"node{n}", Machine(lan, $"node{n}", n), $"{Outside}{n}", $"{folder}-{n}", _group[n - 1]))];
    }

    public ImmutableArray<TestNode> Nodes { get; }

    /// <summary>Every way to ask: by the VIP through packet rules and through sockets, by the mesh of each machine; both services.</summary>
    public ImmutableArray<FuzzPath> Paths { get; private set; }

    /// <summary>Answers that nobody should have got.</summary>
    public ConcurrentQueue<WrongAnswer> Wrong { get; } = new();

    public CancellationToken Limit => _limit.Token;

    public static async Task<FuzzNodes> StartAsync()
    {
        var nodes = new FuzzNodes();
        try
        {
            foreach (var node in nodes.Nodes)
            {
                node.Start();
            }

            await Task.WhenAll(nodes.Nodes.Select(n => n.ApplyAsync(Plan(), nodes.Limit)));
            await nodes.AttachAsync();
            return nodes;
        }
        catch (Exception failure)
        {
            await nodes.DisposeAsync();
            throw new InvalidOperationException(string.Join('\n', nodes.Nodes.SelectMany(n => n.Log.Lines)), failure);
        }
    }

    /// <summary>True: the right service answered, and had seen the client's own address. A wrong answer is noted.</summary>
    public async Task<bool> AskAsync(FuzzPath path)
    {
        var begun = TimeProvider.System.GetUtcNow();
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Limit);
            patience.CancelAfter(s_patience);
            using var socket = path.Open();
            await socket.ConnectAsync(path.To, patience.Token);
            var buffer = new byte[100];
            var answer = Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token));
            if (answer.Length > 0 && !Regex.IsMatch(answer, $"^{path.Service}[1-{Machines}] {Regex.Escape(path.Client)}$"))
            {
                Wrong.Enqueue(new WrongAnswer(begun, TimeProvider.System.GetUtcNow(), $"{path.Name} got '{answer}'"));
                return false;
            }

            return answer.Length > 0;
        }
        catch (Exception none) when (none is OperationCanceledException or SocketException)
        {
            return false;
        }
    }

    /// <summary>One of the socket balancer's maps on a machine.</summary>
    public BpfMap Map(int machine, string name)
    {
        using var group = new CgroupPrograms(_group[machine - 1]);
        using var program = group.Query(SocketHook.SendMessage4) is [var id, ..] ? BpfProgram.OpenById(id) : null;
        return program?.MapIds.Select(m => BpfMap.OpenById(m)!).First(m => m.Shape.Name == name) ?? throw new InvalidOperationException("no programs are attached");
    }

    /// <summary>Detaches the program at a hook.</summary>
    public void Detach(int machine, SocketHook hook)
    {
        using var group = new CgroupPrograms(_group[machine - 1]);
        using var program = group.Query(hook) is [var id, ..] ? BpfProgram.OpenById(id) : throw new InvalidOperationException($"nothing is attached at {hook}");
        group.Detach(hook, program!);
    }

    public async ValueTask DisposeAsync()
    {
        _held.ForEach(h => h.Dispose());
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }

        _namespaces.Dispose();
        _groups.Dispose();
        _limit.Dispose();
    }

    private async Task AttachAsync()
    {
        var paths = ImmutableArray.CreateBuilder<FuzzPath>();
        for (var n = 1; n <= Machines; n++)
        {
            var (node, group, machine) = (Nodes[n - 1], _group[n - 1], n);
            foreach (var (name, first, published) in s_services)
            {
                var task = await AttachAsync(node, $"{name}{n}", $"10.0.0.{first + n}/24", $"10.0.1.{first + n}/24");
                Serve(task, $"{name}{n}");
                paths.Add(new FuzzPath($"the client at node{n}:{published}", () => OpenSocket(_client), IPEndPoint.Parse($"{Outside}{n}:{published}"), name, $"{Outside}9"));
            }

            var caller = await AttachAsync(node, $"caller{n}", null, $"10.0.1.{20 + n}/24");
            foreach (var (name, first, _) in s_services)
            {
                var vip = IPEndPoint.Parse($"10.0.1.{first}:{Port}");
                paths.Add(new FuzzPath($"caller{machine}'s packets to {name}", () => OpenSocket(caller), vip, name, $"10.0.1.{20 + n}"));
                paths.Add(new FuzzPath($"caller{machine}'s socket to {name}", () => CgroupFixture.Run(group, () => OpenSocket(caller)), vip, name, $"10.0.1.{20 + n}"));
            }
        }

        Paths = paths.ToImmutable();
    }

    private async Task<NetworkNamespace> AttachAsync(TestNode node, string task, string? ingress, string demo)
    {
        var space = await node.AttachAsync(
            new SandboxRequest(TestNode.ContainerOf(task), task)
            {
                Name = task,
                Attachments = ingress is null
                    ? [new SandboxAttachment(s_demo, [demo])]
                    : [new SandboxAttachment(s_ingress, [ingress]), new SandboxAttachment(s_demo, [demo])],
            },
            Limit);
        _held.Add(space);
        return space;
    }

    private static Socket OpenSocket(NetworkNamespace ns) => NamespaceFixture.OpenSocket(ns, SocketType.Stream, ProtocolType.Tcp);

    private void Serve(NetworkNamespace ns, string name)
    {
        var listener = NamespaceFixture.Listen(ns, Port);
        _held.Add(listener);
        _ = AnswerAsync(listener, name, Limit);
    }

    private static async Task AnswerAsync(Socket listener, string name, CancellationToken limit)
    {
        while (true)
        {
            try
            {
                using var socket = await listener.AcceptAsync(limit);
                await socket.SendAsync(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)socket.RemoteEndPoint!).Address}"), limit);
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException)
            {
                // The client went away; the next one is served.
            }
        }
    }

    private NetworkNamespace Machine(NetworkNamespace lan, string name, int number)
    {
        var machine = _namespaces.Create(name);
        using var routes = RouteNetlink.Open(lan);
        NamespaceFixture.Join(machine, "e0", string.Create(CultureInfo.InvariantCulture, $"{Outside}{number}/24"), lan, name, "127.0.8.1/32");
        routes.SetLink(routes.FindLink(name)!.Index, new LinkChange { Master = routes.FindLink("lan")!.Index });
        return machine;
    }

    private static NodePlan Plan() => new()
    {
        Revision = 1,
        Networks = new[] { s_ingress, s_demo }.ToImmutableDictionary(n => n.Id, n => new NetworkPlan(n)
        {
            Peers = Enumerable.Range(1, Machines).ToImmutableDictionary(
                m => $"node{m}", m => new PlanPeer(n.Id, $"node{m}", $"{Outside}{m}") { IngressAddress = n.Ingress ? $"10.0.0.{10 + m}/24" : null }),
            Endpoints = (
                from m in Enumerable.Range(1, Machines)
                from task in s_services.Select(s => (Service: s.Name, Host: s.First + m)).Concat(n.Ingress ? [] : [(Service: "caller", Host: 20 + m)])
                select new PlanEndpoint(n.Id, $"{task.Service}{m}", $"node{m}", [$"10.0.{(n.Ingress ? 0 : 1)}.{task.Host}/24"])
                {
                    ServiceId = task.Service,
                    State = EndpointState.Active,
                }).ToImmutableDictionary(e => e.TaskId),
            Services = s_services.ToImmutableDictionary(s => s.Name, s => new PlanService(n.Id, s.Name, s.Name, [$"10.0.{(n.Ingress ? 0 : 1)}.{s.First}/24"])
            {
                Ports = n.Ingress ? [new PortConfig { PublishedPort = (uint)s.Published, TargetPort = Port }] : [],
            }),
        }),
    };
}

/// <summary>A way to ask a service, and the client that it must see.</summary>
internal sealed record FuzzPath(string Name, Func<Socket> Open, IPEndPoint To, string Service, string Client);

/// <summary>An answer that nobody should have got.</summary>
internal sealed record WrongAnswer(DateTimeOffset Begun, DateTimeOffset Ended, string What);
