using Skep.Manager.Store;
using Skep.Model.Errors;

namespace Skep.SimulationTests.Orchestration;

/// <summary>One leader's way to the store: with the next leader's term it writes no more what only a leader may, as etcd has it (EtcdStoreTests).</summary>
internal sealed class LeaderTerm(IClusterStore store, int term, Func<int> current) : IClusterStore
{
    public StoreView Current => store.Current;

    public StoreSubscription SnapshotAndFollow() => store.SnapshotAndFollow();

    public Task<ulong> CommitAsync(StoreTransaction transaction, CancellationToken cancellationToken) =>
        transaction.LeaderOnly && term != current()
            ? Task.FromException<ulong>(new ClusterException(ErrorKind.Unavailable, "this manager is not the leader"))
            : store.CommitAsync(transaction, cancellationToken);
}
