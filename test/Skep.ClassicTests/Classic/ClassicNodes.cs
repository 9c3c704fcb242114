using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.KernelTests.Network;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Testing.Kernel;

namespace Skep.ClassicTests.Classic;

/// <summary>
/// Three machines with the classic data plane and a client on one wire, inside User-Mode Linux. whoami has a task on node1 and on node2,
/// published as 8000 to 3000, with the VIP 10.0.1.2 on the network demo; the task client is on node3, which runs no whoami.
/// </summary>
internal sealed class ClassicNodes : IDisposable
{
    private static ClassicNodes? s_nodes;

    private readonly NamespaceFixture _namespaces = new("cn");
    private readonly List<Socket> _listeners = [];

    private ClassicNodes()
    {
        var lan = _namespaces.Create("lan");
        using (var routes = RouteNetlink.Open(lan))
        {
            routes.AddBridge("lan");
            routes.SetLink(routes.FindLink("lan")!.Index, new LinkChange { Up = true });
        }

        Client = Machine(lan, "client", "198.18.5.9");
        Nodes = [.. Enumerable.Range(1, 3).Select(i => new TestNode($"node{i}", Machine(lan, $"node{i}", $"198.18.5.{i}"), $"198.18.5.{i}", $"/tmp/classic-{i}") { Classic = true })];
    }

    public static PlanNetwork Ingress { get; } = new("ingressxxxxxxxxxxxxxxxxxx", "ingress", 4096, [new IpamConfig { Subnet = "10.0.0.0/24", Gateway = "10.0.0.1" }]) { Ingress = true };

    public static PlanNetwork Demo { get; } = new("demoxxxxxxxxxxxxxxxxxxxxx", "demo", 4097, [new IpamConfig { Subnet = "10.0.1.0/24", Gateway = "10.0.1.1" }]);

    public NetworkNamespace Client { get; }

    public IReadOnlyList<TestNode> Nodes { get; }

    public Dictionary<string, NetworkNamespace> Tasks { get; } = [];

    /// <summary>The one of this machine; made when first asked for.</summary>
    public static async Task<ClassicNodes> GetAsync()
    {
        if (s_nodes is not null)
        {
            return s_nodes;
        }

        var nodes = new ClassicNodes();
        try
        {
            await nodes.StartAsync();
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException(string.Join('\n', nodes.Nodes.SelectMany(n => n.Log.Lines)), failure);
        }

        return s_nodes = nodes;
    }

    public async Task ApplyAsync(ulong revision, EndpointState first = EndpointState.Active)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await Task.WhenAll(Nodes.Select(n => n.ApplyAsync(Plan(revision, first), limit.Token)));
    }

    public async Task<string> AskAsync(NetworkNamespace from, string address, int port)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        using var socket = NamespaceFixture.OpenSocket(from, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), limit.Token);
        using var reader = new StreamReader(new NetworkStream(socket), Encoding.ASCII);
        return await reader.ReadLineAsync(limit.Token) ?? "";
    }

    // The machine's end is theirs.
    public void Dispose() => _namespaces.Dispose();

    private async Task StartAsync()
    {
        foreach (var node in Nodes)
        {
            node.Start();
        }

        await ApplyAsync(1);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(50));
        Tasks["whoami1"] = await Nodes[0].AttachAsync(Request("whoami1", "10.0.0.5/24", "10.0.1.3/24"), limit.Token);
        Tasks["whoami2"] = await Nodes[1].AttachAsync(Request("whoami2", "10.0.0.6/24", "10.0.1.4/24"), limit.Token);
        Tasks["client"] = await Nodes[2].AttachAsync(Request("client", null, "10.0.1.8/24"), limit.Token);
        foreach (var name in new[] { "whoami1", "whoami2" })
        {
            var listener = NamespaceFixture.Listen(Tasks[name], 3000);
            _listeners.Add(listener);
            _ = GreetAsync(listener, name);
        }
    }

    private static NodePlan Plan(ulong revision, EndpointState first) => new()
    {
        Revision = revision,
        Networks = ImmutableDictionary<string, NetworkPlan>.Empty
            .Add(Ingress.Id, new NetworkPlan(Ingress)
            {
                Peers = Peers(Ingress, i => (p => p with { IngressAddress = $"10.0.0.1{i}/24" })),
                Endpoints = Endpoints(Endpoint(Ingress, "whoami1", "node1", "10.0.0.5/24", first), Endpoint(Ingress, "whoami2", "node2", "10.0.0.6/24")),
                Services = Services(new PlanService(Ingress.Id, "whoami", "whoami", ["10.0.0.4/24"]) { Ports = [new PortConfig { PublishedPort = 8000, TargetPort = 3000 }] }),
            })
            .Add(Demo.Id, new NetworkPlan(Demo)
            {
                Peers = Peers(Demo, i => (p => p with { BalancerAddress = $"10.0.1.2{i}/24" })),
                Endpoints = Endpoints(
                    Endpoint(Demo, "whoami1", "node1", "10.0.1.3/24", first),
                    Endpoint(Demo, "whoami2", "node2", "10.0.1.4/24"),
                    Endpoint(Demo, "client", "node3", "10.0.1.8/24") with { ServiceId = "client" }),
                Services = Services(new PlanService(Demo.Id, "whoami", "whoami", ["10.0.1.2/24"]), new PlanService(Demo.Id, "client", "client", ["10.0.1.7/24"])),
            }),
    };

    /// <summary>A task's wish for its places; on the network demo alone when <paramref name="ingress"/> is null.</summary>
    public static SandboxRequest Request(string task, string? ingress, string demo) => new(TestNode.ContainerOf(task), task)
    {
        Name = task,
        Attachments = ingress is null
            ? [new SandboxAttachment(Demo, [demo])]
            : [new SandboxAttachment(Ingress, [ingress]), new SandboxAttachment(Demo, [demo])],
    };

    private static PlanEndpoint Endpoint(PlanNetwork network, string task, string node, string address, EndpointState state = EndpointState.Active) =>
        new(network.Id, task, node, [address]) { ServiceId = "whoami", State = state };

    private static ImmutableDictionary<string, PlanEndpoint> Endpoints(params PlanEndpoint[] endpoints) => endpoints.ToImmutableDictionary(e => e.TaskId);

    private static ImmutableDictionary<string, PlanService> Services(params PlanService[] services) => services.ToImmutableDictionary(s => s.ServiceId);

    private static ImmutableDictionary<string, PlanPeer> Peers(PlanNetwork network, Func<int, Func<PlanPeer, PlanPeer>> with) => Enumerable.Range(1, 3)
        .Select(i => with(i)(new PlanPeer(network.Id, $"node{i}", $"198.18.5.{i}")))
        .ToImmutableDictionary(p => p.NodeId);

    private static async Task GreetAsync(Socket listener, string name)
    {
        while (true)
        {
            using var socket = await listener.AcceptAsync();
            await socket.SendAsync(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)socket.RemoteEndPoint!).Address}\n"));
        }
    }

    private NetworkNamespace Machine(NetworkNamespace lan, string name, string address)
    {
        var machine = _namespaces.Create(name);
        using var routes = RouteNetlink.Open(lan);
        NamespaceFixture.Join(machine, "e0", address + "/24", lan, name, "127.0.5.1/32");
        routes.SetLink(routes.FindLink(name)!.Index, new LinkChange { Master = routes.FindLink("lan")!.Index });
        return machine;
    }
}
