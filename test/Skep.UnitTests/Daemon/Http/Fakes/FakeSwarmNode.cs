using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Skep.Daemon.Swarm;
using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.UnitTests.Daemon.Http.Fakes;

/// <summary>A machine's part in a swarm, set by the test or by the calls themselves.</summary>
internal sealed class FakeSwarmNode(IClusterStore store, IServiceLogs logs) : ISwarmNode
{
    public const string NodeId = "node1node1node1node1node1";

    public SwarmMembership Membership { get; set; } = new();

    public ManagerPart? Manager { get; set; }

    public SwarmInit? Init { get; private set; }

    public SwarmJoin? Joined { get; private set; }

    public bool? Left { get; private set; }

    /// <summary>Makes this the manager of a swarm with one node.</summary>
    public async Task BecomeManagerAsync()
    {
        var cluster = new SwarmCluster { Id = "cluster1cluster1cluster11", WorkerTokenSecret = new string('1', 25), ManagerTokenSecret = new string('2', 25), RootCertificate = RootPem() };
        var node = new SwarmNode
        {
            Id = NodeId,
            Spec = new() { Role = "manager" },
            Role = "manager",
            Description = new() { Hostname = "node1", Platform = new() { Architecture = "x86_64", OS = "linux" }, Resources = new() { NanoCPUs = 2_000_000_000, MemoryBytes = 1 << 30 }, Engine = new() { EngineVersion = "0.1.0" } },
            Status = new() { State = Skep.Model.States.NodeState.Ready, Addr = "10.99.0.1" },
            ManagerStatus = new() { Leader = true, Reachability = "reachable", Addr = "10.99.0.1:2377" },
        };
        var ingress = new SwarmNetwork
        {
            Id = "ingress1ingress1ingress11",
            Spec = new() { Name = "ingress", Ingress = true, DriverConfiguration = new() { Name = "overlay" } },
            Vni = 4096,
            Subnets = [new() { Subnet = "10.0.0.0/24", Gateway = "10.0.0.1" }],
        };
        await store.CommitAsync(new StoreTransaction().Create(cluster).Create(node).Create(ingress), default);
        Membership = new() { State = "active", NodeId = NodeId, NodeAddress = "10.99.0.1", ControlAvailable = true, RemoteManagers = [(NodeId, "10.99.0.1:2377")] };
        Manager = new ManagerPart(store, logs) { IsLeader = true };
    }

    private static string RootPem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = new CertificateRequest("CN=swarm-ca", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        return root.ExportCertificatePem() + "\n";
    }

    public async Task<string> InitAsync(SwarmInit request, CancellationToken cancellationToken)
    {
        if (Membership.State != "inactive")
        {
            throw new ClusterException(ErrorKind.Unavailable, "This node is already part of a swarm. Use \"docker swarm leave\" to leave this swarm and join another one.");
        }

        Init = request;
        await BecomeManagerAsync();
        return NodeId;
    }

    public Task JoinAsync(SwarmJoin request, CancellationToken cancellationToken)
    {
        Joined = request;
        Membership = new() { State = "active", NodeId = NodeId, ControlAvailable = false };
        return Task.CompletedTask;
    }

    public Task LeaveAsync(bool force, CancellationToken cancellationToken)
    {
        Left = force;
        Membership = new();
        Manager = null;
        return Task.CompletedTask;
    }
}
