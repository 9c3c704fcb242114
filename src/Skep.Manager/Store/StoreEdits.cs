using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Manager.Store;

/// <summary>The common way to change stored objects: read, change, compare and swap, and again when somebody was faster.</summary>
public static class StoreEdits
{
    /// <summary>
    /// Builds a transaction from the newest view and commits it, until nobody was faster. An empty transaction commits nothing.
    /// </summary>
    public static async Task EditAsync(this IClusterStore store, Func<StoreView, StoreTransaction> build, CancellationToken cancellationToken)
    {
        while (true)
        {
            var transaction = build(store.Current);
            if (transaction.IsEmpty)
            {
                return;
            }

            try
            {
                await store.CommitAsync(transaction, cancellationToken);
                return;
            }
            catch (ClusterException e) when (e.Kind is ErrorKind.OutOfSequence or ErrorKind.NotFound)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Changes one node; null from <paramref name="change"/> leaves it as it is.</summary>
    public static Task EditNodeAsync(this IClusterStore store, string nodeId, Func<SwarmNode, SwarmNode?> change, CancellationToken cancellationToken) =>
        store.EditAsync(
            view =>
            {
                var transaction = new StoreTransaction();
                return view.Nodes.TryGetValue(nodeId, out var node) && change(node) is { } next ? transaction.Update(next) : transaction;
            },
            cancellationToken);

    /// <summary>Waits until the store's view satisfies <paramref name="condition"/> and returns it.</summary>
    public static async Task<StoreView> WaitAsync(this IClusterStore store, Func<StoreView, bool> condition, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (view, commits) = store.SnapshotAndFollow();

        // The stream is begun before the first look, so that it is ended again also when that look is enough.
        var follower = commits.GetAsyncEnumerator(enough.Token);
        var next = follower.MoveNextAsync().AsTask();
        while (!condition(view) && await next)
        {
            view = follower.Current.View;
            next = follower.MoveNextAsync().AsTask();
        }

        await enough.CancelAsync();
        await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await follower.DisposeAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return view;
    }
}
