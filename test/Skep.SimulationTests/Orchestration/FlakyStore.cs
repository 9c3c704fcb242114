using Skep.Manager.Store;
using Skep.Model.Errors;

namespace Skep.SimulationTests.Orchestration;

/// <summary>A leader's way to the store that breaks now and then: before a commit is made, or after it, when its answer is lost.</summary>
internal sealed class FlakyStore(IClusterStore store, Func<int> chance) : IClusterStore
{
    public int Lost { get; private set; }

    public StoreView Current => store.Current;

    /// <summary>Percent of the commits that fail; half of them are made all the same.</summary>
    public int Failing { get; set; }

    public StoreSubscription SnapshotAndFollow() => store.SnapshotAndFollow();

    public async Task<ulong> CommitAsync(StoreTransaction transaction, CancellationToken cancellationToken)
    {
        var dice = transaction.IsEmpty ? 100 : chance();
        if (dice < Failing / 2)
        {
            throw Away();
        }

        var revision = await store.CommitAsync(transaction, cancellationToken);
        if (dice < Failing)
        {
            Lost++;
            throw Away();
        }

        return revision;
    }

    private static ClusterException Away() => new(ErrorKind.Unavailable, "the store is not available: the cable was pulled");
}
