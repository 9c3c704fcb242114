using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Network.Dns;
using Skep.Network.Sockets;

namespace Skep.Bench.DataPlane;

/// <summary>
/// One machine's data plane in namespaces of its own, in this process, on a network with as many services as are asked for, two
/// backends each. The first service's backends are here, so that a real flow can run through its VIP; all others are on another node.
/// </summary>
internal sealed class BenchMachine : IAsyncDisposable
{
    private const string Id = "node1";

    // A node without tasks.
    private const string Spare = "node3";
    private static readonly PlanNetwork s_network = new("benchxxxxxxxxxxxxxxxxxxxx", "bench", 4097, [new IpamConfig { Subnet = "10.64.0.0/12", Gateway = "10.79.255.254" }]);

    private readonly string _folder = Directory.CreateTempSubdirectory("skep-bench-plane-").FullName;
    private readonly string _path = $"/run/netns/skep-bench-plane-{Environment.ProcessId}";
    private readonly string? _group = SocketGroup.Find($"/skep-bench-plane-{Environment.ProcessId}");
    private readonly NetworkNamespace _host;
    private CancellationTokenSource _stop = new();
    private NameServer? _names;
    private NodeNetwork? _network;
    private Task _running = Task.CompletedTask;

    public BenchMachine()
    {
        _host = NetworkNamespace.Create(_path);
        using var routes = RouteNetlink.Open(_host);
        routes.AddBridge("e0");
        var link = routes.FindLink("e0")!.Index;
        routes.AddAddress(link, IPAddress.Parse("198.18.7.1"), 24);
        routes.SetLink(link, new LinkChange { Up = true });
        routes.SetLink(routes.FindLink("lo")!.Index, new LinkChange { Up = true });
    }

    public NodeNetwork Network => _network!;

    public static IPAddress Vip(int service) => Address(service, 0);

    public static NodePlan Plan(int services) => new()
    {
        NodeId = Id,
        Revision = 1,
        Networks = ImmutableDictionary<string, NetworkPlan>.Empty.Add(s_network.Id, new NetworkPlan(s_network)
        {
            Peers = ImmutableDictionary<string, PlanPeer>.Empty
                .Add(Id, new PlanPeer(s_network.Id, Id, "198.18.7.1"))
                .Add("node2", new PlanPeer(s_network.Id, "node2", "198.18.7.2"))
                .Add(Spare, new PlanPeer(s_network.Id, Spare, "198.18.7.3")),
            Services = Enumerable.Range(0, services).Select(i => new PlanService(s_network.Id, $"service{i}", $"web{i}", [$"{Vip(i)}/12"])).ToImmutableDictionary(s => s.ServiceId),
            Endpoints = Enumerable.Range(0, services).SelectMany(i => new[] { Endpoint(i, 1), Endpoint(i, 2) }).ToImmutableDictionary(e => e.TaskId),
        }),
    };

    /// <summary>The plan with one endpoint of one service active or not, as the managers would tell it.</summary>
    public static (NodePlan Plan, PlanDelta Delta) Toggle(NodePlan plan, int service)
    {
        var network = plan.Networks[s_network.Id];
        var endpoint = network.Endpoints[Endpoint(service, 2).TaskId];
        endpoint = endpoint with { State = endpoint.State == EndpointState.Active ? EndpointState.Starting : EndpointState.Active };
        var next = plan with
        {
            Revision = plan.Revision + 1,
            Networks = plan.Networks.SetItem(s_network.Id, network with { Endpoints = network.Endpoints.SetItem(endpoint.TaskId, endpoint) }),
        };
        return (next, new PlanDelta(plan, [new PlanRecordKey(PlanPart.Endpoint, s_network.Id, endpoint.TaskId)]));
    }

    /// <summary>The plan with a node that has no task there or gone.</summary>
    public static (NodePlan Plan, PlanDelta Delta) TogglePeer(NodePlan plan)
    {
        var network = plan.Networks[s_network.Id];
        var without = network.Peers.Remove(Spare);
        var peers = ReferenceEquals(without, network.Peers) ? without.Add(Spare, new PlanPeer(s_network.Id, Spare, "198.18.7.3")) : without;
        var next = plan with { Revision = plan.Revision + 1, Networks = plan.Networks.SetItem(s_network.Id, network with { Peers = peers }) };
        return (next, new PlanDelta(plan, [new PlanRecordKey(PlanPart.Peer, s_network.Id, Spare)]));
    }

    public void Start()
    {
        _stop = new CancellationTokenSource();
        _names = new NameServer([], TimeProvider.System, NullLogger<NameServer>.Instance);
        _network = new NodeNetwork(
            new NodeNetworkOptions
            {
                NodeId = Id, Vtep = IPAddress.Parse("198.18.7.1"), StateFolder = _folder, NamespaceFolder = Path.Combine(_folder, "netns"), HostNamespace = _host.Origin,
                SocketGroup = _group,
            },
            _names,
            NullLogger<NodeNetwork>.Instance);
        _running = _network.RunAsync(_stop.Token);
    }

    /// <summary>The daemon ends; the kernel keeps what it has.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _network?.Dispose();
        if (_names is not null)
        {
            await _names.DisposeAsync();
        }

        _stop.Dispose();
    }

    /// <summary>Milliseconds until the kernel holds the plan.</summary>
    public async Task<double> ApplyAsync(NodePlan plan, PlanDelta? delta, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        Network.Submit(plan, delta);
        await Network.AppliedRevision.WaitAsync(r => r == plan.Revision, cancellationToken);
        return clock.Elapsed.TotalMilliseconds;
    }

    /// <summary>The namespace of a task of the first service; 0 is one that only calls.</summary>
    public async Task<NetworkNamespace> AttachAsync(int task, CancellationToken cancellationToken)
    {
        var address = task == 0 ? "10.79.255.1/12" : Endpoint(0, task).Addresses[0];
        var request = new SandboxRequest(new string((char)('a' + task), 64), Endpoint(0, task).TaskId) { Name = $"task{task}", Attachments = [new SandboxAttachment(s_network, [address])] };
        return NetworkNamespace.Open((await Network.AttachAsync(request, cancellationToken)).NamespacePath);
    }

    public static Socket OpenSocket(NetworkNamespace ns) => ns.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Network.RemoveAllAsync(limit.Token);
        await StopAsync();
        _host.Dispose();
        NetworkNamespace.Delete(_path);
        Directory.Delete(_folder, recursive: true);
        if (_group is not null)
        {
            Directory.Delete(_group);
        }
    }

    private static PlanEndpoint Endpoint(int service, int number) =>
        new(s_network.Id, $"task{service}-{number}", service == 0 ? Id : "node2", [$"{Address(service, number)}/12"])
        {
            ServiceId = $"service{service}",
            State = EndpointState.Active,
            Names = [$"web{service}.{number}"],
        };

    private static IPAddress Address(int service, int number)
    {
        var value = (10u << 24) + (64u << 16) + 256 + ((uint)service * 4) + (uint)number;
        return new IPAddress([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
    }
}
