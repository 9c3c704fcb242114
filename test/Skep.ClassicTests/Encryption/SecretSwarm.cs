using System.Collections.Immutable;
using System.Security.Cryptography;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.Model.Identity;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Testing.Kernel;

namespace Skep.ClassicTests.Encryption;

/// <summary>
/// Three machines on one wire, each with a task on the encrypted network and on the clear one: 10.0.2.1N and 10.0.3.1N on node N.
/// </summary>
internal sealed class SecretSwarm : IAsyncDisposable
{
    private readonly NamespaceFixture _namespaces = new("ct");
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(150));
    private readonly bool _six;
    private ulong _revision;

    private SecretSwarm(Plane plane, bool six)
    {
        _six = six;
        Wire = _namespaces.Create("wire");
        using var routes = RouteNetlink.Open(Wire);
        routes.AddBridge("lan", new BridgeOptions { McastSnooping = false });
        routes.SetLink(routes.FindLink("lan")!.Index, new LinkChange { Up = true });
        var folder = Path.Combine(Path.GetTempPath(), $"secret-{Guid.NewGuid():n}");
        Nodes = [.. Enumerable.Range(1, 3).Select(n => new SecretNode($"node{n}", Machine(n), AddressOf(n), $"{folder}-{n}", plane))];
    }

    public static PlanNetwork Secret { get; } = new("secretxxxxxxxxxxxxxxxxxxx", "secret", 4098, [new IpamConfig { Subnet = "10.0.2.0/24", Gateway = "10.0.2.1" }]) { Encrypted = true };
    public static PlanNetwork Clear { get; } = new("clearxxxxxxxxxxxxxxxxxxxx", "clear", 4099, [new IpamConfig { Subnet = "10.0.3.0/24", Gateway = "10.0.3.1" }]);

    /// <summary>The namespace of the switch: its packets are all packets of the underlay.</summary>
    public NetworkNamespace Wire { get; }
    public ImmutableArray<SecretNode> Nodes { get; }
    public List<NetworkNamespace> Tasks { get; } = [];
    public List<PlanKey> Keys { get; } = [NewKey("a")];
    public string Sending { get; set; } = "a";
    public int Present { get; set; } = 3;
    public CancellationToken Limit => _limit.Token;

    public static PlanKey NewKey(string id) => new(id, RandomNumberGenerator.GetBytes(32), DateTimeOffset.UnixEpoch);

    /// <param name="plane">What their rules are made of.</param>
    /// <param name="six">The machines have IPv6 addresses only.</param>
    /// <param name="keys">Whether the nodes get keys.</param>
    public static async Task<SecretSwarm> StartAsync(Plane plane, bool six = false, bool keys = true)
    {
        var swarm = new SecretSwarm(plane, six);
        foreach (var node in swarm.Nodes)
        {
            node.Start();
        }

        await swarm.ApplyAsync(keys: false);
        foreach (var node in swarm.Nodes)
        {
            swarm.Tasks.Add(await node.AttachAsync(Request(node.Id), swarm.Limit));
        }

        if (keys)
        {
            await swarm.ApplyAsync();
        }

        return swarm;
    }

    /// <summary>Tells the nodes, one after the other, what is so now.</summary>
    public async Task ApplyAsync(bool keys = true)
    {
        foreach (var node in Nodes.Take(Present))
        {
            await node.ApplyAsync(Plan(keys), Limit);
        }
    }

    public NodePlan Plan(bool keys = true) => new()
    {
        Revision = ++_revision,
        Keyring = keys ? new PlanKeyring([.. Keys], Sending) : null,
        Networks = ImmutableDictionary<string, NetworkPlan>.Empty.Add(Secret.Id, Network(Secret)).Add(Clear.Id, Network(Clear)),
    };

    /// <summary>Another machine on the wire.</summary>
    public NetworkNamespace Machine(int n)
    {
        var machine = _namespaces.Create($"node{n}");
        var number = n.ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var routes = RouteNetlink.Open(Wire);
        if (_six)
        {
            File.WriteAllText("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
        }

        NamespaceFixture.Join(machine, "e0", $"{AddressOf(n)}/{(_six ? 64 : 24)}", Wire, $"port{number}", $"127.0.5.{number}/32");
        routes.SetLink(routes.FindLink($"port{number}")!.Index, new LinkChange { Master = routes.FindLink("lan")!.Index });
        return machine;
    }

    public string AddressOf(int n) => _six ? $"fd00:5::{n}" : $"198.18.5.{n}";

    public async ValueTask DisposeAsync()
    {
        foreach (var task in Tasks)
        {
            task.Dispose();
        }

        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }

        _namespaces.Dispose();
        _limit.Dispose();
    }

    private static SandboxRequest Request(string node) => new(ContainerId.Of($"task-{node}"), $"task-{node}")
    {
        Name = $"task-{node}",
        Attachments = [new SandboxAttachment(Secret, [$"10.0.2.1{node[^1]}/24"]), new SandboxAttachment(Clear, [$"10.0.3.1{node[^1]}/24"])],
    };

    private NetworkPlan Network(PlanNetwork network)
    {
        var prefix = network == Secret ? "10.0.2.1" : "10.0.3.1";
        var present = Nodes.Take(Present).ToList();
        return new NetworkPlan(network)
        {
            Peers = present.ToImmutableDictionary(
                n => n.Id, n => new PlanPeer(network.Id, n.Id, n.Address.ToString()) { CipherGeneration = n.Network.CipherGeneration.Value }),
            Endpoints = present.ToImmutableDictionary(
                n => $"task-{n.Id}",
                n => new PlanEndpoint(network.Id, $"task-{n.Id}", n.Id, [$"{prefix}{n.Id[^1]}/24"]) { State = EndpointState.Active }),
        };
    }
}
