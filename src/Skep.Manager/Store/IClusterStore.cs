using Skep.Model.Objects;

namespace Skep.Manager.Store;

/// <summary>
/// The cluster's one truth. Reads are of an immutable view in memory; writes are transactions that compare and swap.
/// Stages of the manager meet only here.
/// </summary>
public interface IClusterStore
{
    /// <summary>The newest view that this manager has.</summary>
    StoreView Current { get; }

    /// <summary>Takes the newest view and opens the stream of what follows it, with nothing lost or seen twice between the two.</summary>
    StoreSubscription SnapshotAndFollow();

    /// <summary>
    /// Commits all changes of <paramref name="transaction"/> or none, and returns when <see cref="Current"/> holds them. Without changes
    /// and for the leader alone it is a barrier: <see cref="Current"/> then holds every commit of every earlier leader.
    /// </summary>
    /// <returns>The revision of the commit.</returns>
    /// <exception cref="Model.Errors.ClusterException">
    /// OutOfSequence: an updated object's version is not the stored one; Conflict: a created name or id exists;
    /// NotFound: an updated or removed object does not exist; Unavailable: the store cannot be reached or this manager
    /// has lost the leadership that the transaction needs.
    /// </exception>
    Task<ulong> CommitAsync(StoreTransaction transaction, CancellationToken cancellationToken);
}

/// <summary>Events are batches, one per commit, in the order of the commits. Disposing ends the stream.</summary>
public sealed record StoreSubscription(StoreView Snapshot, IAsyncEnumerable<StoreCommit> Commits);

/// <summary>What one commit changed, and the view after it.</summary>
public sealed record StoreCommit(StoreView View, IReadOnlyList<StoreEvent> Events);

/// <summary>Old is null for a created object, New for a removed one.</summary>
public readonly record struct StoreEvent(SwarmObject? Old, SwarmObject? New)
{
    /// <summary>The object, whichever side has it; the new one first.</summary>
    public SwarmObject Subject => New ?? Old!;
}
