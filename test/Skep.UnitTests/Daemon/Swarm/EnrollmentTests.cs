using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Session;
using Skep.Daemon.Rpc;
using Skep.Daemon.Swarm;
using Skep.Manager.Certificates;
using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Protocol.Node;
using Skep.Protocol.Records;
using Skep.Rpc;
using Skep.Testing.Store;

namespace Skep.UnitTests.Daemon.Swarm;

/// <summary>Joining, over TLS on loopback, at the control port of a manager whose store is in memory.</summary>
public sealed class EnrollmentTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-enroll-").FullName;
    private readonly FakeClusterStore _store = new();
    private readonly RootAuthority _root = RootAuthority.Create(TimeProvider.System);
    private readonly int _port = FreePort();
    private FoundedSwarm _swarm = null!;
    private ControlServer _server = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Address => $"127.0.0.1:{_port}";

    private string WorkerToken => JoinToken.For(_root.CertificatePem, _swarm.Cluster.WorkerTokenSecret).ToString();

    public async ValueTask InitializeAsync()
    {
        _swarm = ClusterMaker.Found(ClusterMaker.Check(new SwarmInit()), _root, new SwarmFolder(Path.Combine(_folder, "manager")), Address, "", TimeProvider.System);
        await _store.CommitAsync(new StoreTransaction().Create(_swarm.Cluster).Create(_swarm.Node), Cancelled);
        var dispatcher = new Dispatcher(_store, new DispatcherOptions(), TimeProvider.System, NullLogger<Dispatcher>.Instance);
        var membership = new MembershipService(_store, _root, TimeProvider.System, NullLogger<MembershipService>.Instance);
        _server = await ControlServer.StartAsync(
            new IPEndPoint(IPAddress.Loopback, _port),
            _swarm.Identity,
            new ControlCalls(membership, dispatcher, new LogBroker(_store, dispatcher)),
            NullLoggerFactory.Instance,
            Cancelled);
    }

    [Fact]
    public async Task A_machine_with_the_token_gets_an_identity_that_it_keeps()
    {
        using var identity = await JoinAsync(WorkerToken, "worker");

        Assert.Equal((NodeSpec.Worker, _swarm.Cluster.Id), (identity.Peer.Role, identity.Peer.SwarmId));
        Assert.True(_store.Current.Nodes.ContainsKey(identity.Peer.NodeId));
        using var loaded = NodeIdentity.Load(identity.Folder)!;
        Assert.Equal(identity.Peer, loaded.Peer);
    }

    [Fact]
    public async Task Joining_twice_makes_two_nodes()
    {
        using var one = await JoinAsync(WorkerToken, "one");
        using var two = await JoinAsync(WorkerToken, "two");

        Assert.NotEqual(one.Peer.NodeId, two.Peer.NodeId);
        Assert.Equal(3, _store.Current.Nodes.Count);
    }

    [Fact]
    public async Task A_token_of_another_swarm_is_not_shown_to_this_one()
    {
        using var other = RootAuthority.Create(TimeProvider.System);
        var token = JoinToken.For(other.CertificatePem, JoinToken.NewSecret()).ToString();

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => JoinAsync(token, "worker"));

        Assert.Equal(ErrorKind.Unauthorized, refusal.Kind);
        Assert.StartsWith("remote CA does not match fingerprint", refusal.Message, StringComparison.Ordinal);
        Assert.Single(_store.Current.Nodes);
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_and_leaves_nothing_behind()
    {
        var token = JoinToken.For(_root.CertificatePem, JoinToken.NewSecret()).ToString();

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => JoinAsync(token, "worker"));

        Assert.Equal((ErrorKind.Unauthorized, "A valid join token is necessary to join this cluster"), (refusal.Kind, refusal.Message));
        Assert.False(Directory.Exists(Path.Combine(_folder, "worker")));
        Assert.Equal("invalid join token", (await Assert.ThrowsAsync<ClusterException>(() => JoinAsync("nonsense", "worker"))).Message);
    }

    [Fact]
    public async Task Nobody_at_the_address_is_said_so()
    {
        var nowhere = $"127.0.0.1:{FreePort()}";

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => Enrollment.JoinAsync(nowhere, WorkerToken, "", Path.Combine(_folder, "w"), Cancelled));

        Assert.Equal(ErrorKind.Unavailable, refusal.Kind);
    }

    [Fact]
    public async Task A_session_needs_a_certificate_of_this_swarm()
    {
        using var foreignRoot = RootAuthority.Create(TimeProvider.System);
        var (request, key) = NodeIdentity.NewKey();
        using var foreign = NodeIdentity.Save(
            Path.Combine(_folder, "foreign"), _root.CertificatePem, foreignRoot.Sign(request, _swarm.Node.Id, NodeSpec.Manager, _swarm.Cluster.Id, TimeSpan.FromDays(1)), key);
        var anonymous = foreign.ClientTls();
        anonymous.ClientCertificates = null;
        anonymous.LocalCertificateSelectionCallback = null;

        Assert.Equal(RpcStatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(() => HelloAsync(anonymous))).Code);
        await Assert.ThrowsAsync<RpcException>(() => HelloAsync(foreign.ClientTls()));
        await using var unproved = RpcChannel.OverTcp("127.0.0.1", _port, anonymous);
        var renewal = new RenewRequest { CertificateRequest = ByteString.CopyFrom(NodeIdentity.NewKey().Request) };
        Assert.Equal(RpcStatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(() => unproved.UnaryAsync(NodeMethods.Renew, renewal, Cancelled))).Code);
    }

    [Fact]
    public async Task A_member_is_greeted_and_may_renew()
    {
        using var identity = await JoinAsync(WorkerToken, "worker");

        Assert.Equal(identity.Peer.NodeId, (await HelloAsync(identity.ClientTls())).NodeId);
        await using var channel = RpcChannel.OverTcp("127.0.0.1", _port, identity.ClientTls());
        var (request, key) = NodeIdentity.NewKey();
        var answer = await channel.UnaryAsync(NodeMethods.Renew, new RenewRequest { CertificateRequest = ByteString.CopyFrom(request) }, Cancelled);
        identity.Renew(answer.Certificates, key);
        Assert.Equal(identity.Peer.NodeId, (await HelloAsync(identity.ClientTls())).NodeId);
    }

    [Fact]
    public async Task A_worker_that_stands_where_a_manager_was_is_not_believed()
    {
        using var worker = await JoinAsync(WorkerToken, "worker");
        var port = FreePort();
        var dispatcher = new Dispatcher(_store, new DispatcherOptions(), TimeProvider.System, NullLogger<Dispatcher>.Instance);
        var membership = new MembershipService(_store, _root, TimeProvider.System, NullLogger<MembershipService>.Instance);
        await using var impostor = await ControlServer.StartAsync(
            new IPEndPoint(IPAddress.Loopback, port), worker, new ControlCalls(membership, dispatcher, new LogBroker(_store, dispatcher)), NullLoggerFactory.Instance, Cancelled);

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => Enrollment.JoinAsync($"127.0.0.1:{port}", WorkerToken, "", Path.Combine(_folder, "w2"), Cancelled));

        Assert.Equal(ErrorKind.Unavailable, refusal.Kind);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _swarm.Identity.Dispose();
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private Task<NodeIdentity> JoinAsync(string token, string name) => Enrollment.JoinAsync(Address, token, "", Path.Combine(_folder, name), Cancelled);

    private async Task<(string NodeId, string Cluster)> HelloAsync(SslClientAuthenticationOptions tls)
    {
        await using var channel = RpcChannel.OverTcp("127.0.0.1", _port, tls);
        await using var call = channel.Duplex(NodeMethods.Session, Cancelled);
        try
        {
            var description = RecordCodec.Encode(new NodeDescription(), RecordJson.Default.NodeDescription);
            await call.WriteAsync(new NodeMessage { Hello = new Hello { Description = ByteString.CopyFrom(description) } }, Cancelled);
        }
        catch (RpcException)
        {
            // The reader sees with which status.
        }

        await foreach (var message in call.ReadAllAsync(Cancelled))
        {
            var node = RecordCodec.Decode(message.Welcome.Node.Span, RecordJson.Default.SwarmNode);
            return (node.Id, message.Welcome.SwarmId);
        }

        throw new IOException("no greeting");
    }
}
