using Skep.Manager.Store;

namespace Skep.Manager.Control;

/// <summary>
/// The cluster as a client may see and change it. One instance serves a store: changes of one kind are made one after the other, so
/// that a check (a free port, an unused network) still holds when its change is written.
/// </summary>
public sealed class ClusterControl(IClusterStore store, TimeProvider clock)
{
    public ServiceControl Services { get; } = new(store, clock);
    public NodeControl Nodes { get; } = new(store, clock);
    public NetworkControl Networks { get; } = new(store, clock);
    public SwarmControl Swarm { get; } = new(store, clock);

    /// <summary>The newest committed state.</summary>
    public StoreView View => store.Current;

    public StoreSubscription SnapshotAndFollow() => store.SnapshotAndFollow();
}
