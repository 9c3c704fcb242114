using Skep.Daemon.Supervision;
using Skep.Manager.Leadership;
using Skep.Manager.Store;

namespace Skep.Daemon.Swarm;

/// <summary>A manager's etcd, the store on it, and its claim to lead.</summary>
internal sealed class ManagerStore : IDisposable
{
    private const int PeerPort = 2380;

    private readonly EtcdProcess _etcd;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    private ManagerStore(EtcdProcess etcd, SwarmParts parts, string nodeId)
    {
        _etcd = etcd;
        _running = etcd.RunAsync(_stopping.Token);
        Store = new EtcdClusterStore(etcd.Client, parts.Clock, parts.Logging.CreateLogger<EtcdClusterStore>());
        Leadership = new Leadership(
            etcd.Client, Store, new LeadershipOptions { NodeId = nodeId }, parts.Clock, parts.Logging.CreateLogger<Leadership>());
    }

    public EtcdClusterStore Store { get; }
    public Leadership Leadership { get; }

    /// <summary>Returns when the store has been read.</summary>
    public static async Task<ManagerStore> StartAsync(
        SwarmParts parts, SwarmFolder folder, NodeIdentity identity, SwarmState state, CancellationToken cancellationToken)
    {
        var etcd = new EtcdProcess(
            new EtcdProcessOptions
            {
                FileName = parts.Options.Etcd,
                Name = identity.Peer.NodeId,
                DataFolder = folder.Etcd,
                RunFolder = Path.Combine(parts.Options.RunRoot, "etcd"),
                PeerUrl = $"https://{HostPort.Format(state.AdvertiseAddress, PeerPort)}",
                PeerTls = new EtcdPeerTls(identity.CertificatePath, identity.KeyPath, identity.RootPath),
            },
            parts.Clock,
            parts.Logging);
        var store = new ManagerStore(etcd, parts, identity.Peer.NodeId);
        try
        {
            await etcd.ReadyAsync(cancellationToken);
            await store.Store.StartAsync(cancellationToken);
            return store;
        }
        catch
        {
            await store.EndAsync(remove: true);
            throw;
        }
    }

    /// <summary>Leaves etcd running for the next daemon, or with <paramref name="remove"/> ends it.</summary>
    public async Task EndAsync(bool remove)
    {
        await Store.DisposeAsync();
        await _stopping.CancelAsync();
        if (remove)
        {
            await _etcd.StopAsync(CancellationToken.None);
        }

        await _running;
        await _etcd.DisposeAsync();
        Dispose();
    }

    public void Dispose() => _stopping.Dispose();
}
