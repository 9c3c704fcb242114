using System.Net;
using System.Net.Sockets;
using Skep.Daemon.Rpc;
using Skep.Manager.Allocation;
using Skep.Manager.Certificates;
using Skep.Manager.Dispatch;
using Skep.Manager.Encryption;
using Skep.Manager.Orchestration;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.States;
using Skep.Protocol.Records;

namespace Skep.Daemon.Swarm;

/// <summary>What a manager does besides: the store and its etcd, the control port, dispatch, and while it leads, the loops.</summary>
internal sealed class ManagerRole
{
    private readonly ManagerStore _store;
    private readonly ControlServer _server;
    private readonly RootAuthority _authority;
    private readonly Dispatcher _dispatcher;
    private readonly LogBroker _logs;
    private readonly SwarmParts _parts;
    private readonly string _nodeId;
    private volatile bool _leads;

    private ManagerRole(SwarmParts parts, string nodeId, ManagerStore store, ControlServer server, RootAuthority authority, ControlCalls calls)
    {
        (_parts, _nodeId, _store, _server, _authority) = (parts, nodeId, store, server, authority);
        _dispatcher = calls.Dispatcher;
        _logs = calls.Logs;
    }

    private KeyRotator Rotator { get; init; } = null!;

    public ManagerPart Part => new(_store.Store, _logs) { IsLeader = _leads };

    public static async Task<ManagerRole> StartAsync(
        SwarmParts parts, SwarmFolder folder, NodeIdentity identity, SwarmState state, FoundedSwarm? founded, CancellationToken cancellationToken)
    {
        var store = await ManagerStore.StartAsync(parts, folder, identity, state, cancellationToken);
        try
        {
            if (founded is not null)
            {
                await store.Store.CommitAsync(Bootstrap.FirstTransaction(founded.Cluster, founded.Node, parts.Clock.GetUtcNow(), AdvertiseAddress.HostHasIPv6()), cancellationToken);
            }

            var cluster = store.Store.Current.Cluster
                ?? throw new ClusterException(ErrorKind.Internal, "the store holds no cluster; restore it from a backup, or leave with --force");
            var key = RecordFile.Read(folder.ManagerKey) ?? throw new ClusterException(ErrorKind.Internal, $"{folder.ManagerKey} is missing");
            var authority = RootAuthority.Load(cluster.RootCertificate, KeyWrap.Unwrap(key, cluster.WrappedRootKey), parts.Clock);
            var seal = new KeyringSeal(key);
            var dispatcher = new Dispatcher(store.Store, new DispatcherOptions(), parts.Clock, parts.Logging.CreateLogger<Dispatcher>()) { OpenKeyring = seal.Open };
            var calls = new ControlCalls(
                new MembershipService(store.Store, authority, parts.Clock, parts.Logging.CreateLogger<MembershipService>()),
                dispatcher,
                new LogBroker(store.Store, dispatcher));
            var (host, port) = HostPort.Parse(state.ListenAddress, HostPort.DefaultControlPort);
            var address = IPAddress.Parse(AdvertiseAddress.Resolve(host));

            // 0.0.0.0 is what clients write for "everywhere"; a node may come by IPv6.
            var endpoint = new IPEndPoint(address.Equals(IPAddress.Any) && Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : address, port);
            var server = await ControlServer.StartAsync(endpoint, identity, calls, parts.Logging, cancellationToken);
            var rotator = new KeyRotator(store.Store, seal, view => dispatcher.KeysAreApplied(view, KeyRotation.Patience), parts.Clock, parts.Logging.CreateLogger<KeyRotator>());
            return new ManagerRole(parts, identity.Peer.NodeId, store, server, authority, calls) { Rotator = rotator };
        }
        catch
        {
            await store.EndAsync(remove: founded is not null);
            throw;
        }
    }

    public Task RunAsync(CancellationToken stopping) => Together.RunAsync(stopping, _dispatcher.RunAsync, LeadAsync, ending => _parts.FollowStore(_store.Store, ending));

    /// <summary>Waits until the store says that the node is ready.</summary>
    public Task NodeReadyAsync(string nodeId, CancellationToken cancellationToken) =>
        _store.Store.WaitAsync(view => IsReady(view, nodeId), cancellationToken);

    public async Task EndAsync(bool remove, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _server.DisposeAsync();
        await _store.EndAsync(remove);
        _authority.Dispose();
    }

    private static bool IsReady(StoreView view, string nodeId) =>
        view.Nodes.TryGetValue(nodeId, out var node)
        && node.Status.State == NodeState.Ready
        && node.IngressAddress is not null
        && node.ManagerStatus is { Leader: true };

    private Task LeadAsync(CancellationToken stopping) => _store.Leadership.RunAsync(
        async leading =>
        {
            _leads = true;
            try
            {
                await MarkLeaderAsync(leading);
                var loops = new ManagerLoops(_store.Store, _parts.Clock, _parts.Logging.CreateLogger<ManagerLoops>());
                await Together.RunAsync(leading, loops.RunAsync, Rotator.RunAsync);
            }
            finally
            {
                _leads = false;
            }
        },
        stopping);

    private Task MarkLeaderAsync(CancellationToken leading) => _store.Store.EditAsync(
        view =>
        {
            var transaction = new StoreTransaction { LeaderOnly = true };
            foreach (var node in view.Nodes.Values.Where(n => n.ManagerStatus is not null && n.ManagerStatus.Leader != (n.Id == _nodeId)))
            {
                transaction.Update(node with { ManagerStatus = node.ManagerStatus! with { Leader = node.Id == _nodeId } });
            }

            return transaction;
        },
        leading);
}
