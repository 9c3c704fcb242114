using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Testing.Store;

namespace Skep.UnitTests.Manager.Dispatch;

/// <summary>A store that can be away.</summary>
internal sealed class UnavailableStore : IClusterStore
{
    public FakeClusterStore Inner { get; } = new();
    public volatile bool IsAway;

    public StoreView Current => Inner.Current;

    public StoreSubscription SnapshotAndFollow() => Inner.SnapshotAndFollow();

    public Task<ulong> CommitAsync(StoreTransaction transaction, CancellationToken cancellationToken) =>
        IsAway ? throw new ClusterException(ErrorKind.Unavailable, "the store cannot be reached") : Inner.CommitAsync(transaction, cancellationToken);
}
