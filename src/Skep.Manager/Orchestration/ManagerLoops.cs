using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Flow;

namespace Skep.Manager.Orchestration;

/// <summary>
/// The leader's loop: orchestration, allocation and scheduling, driven by the store's events and by the clock alone. Run it while
/// this manager is the leader and cancel it when it is no more; a transaction needs the leadership anyhow.
/// </summary>
public sealed class ManagerLoops(IClusterStore store, TimeProvider clock, ILogger<ManagerLoops> logger)
{
    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(250);

    /// <summary>Replaces the source of task ids, so that a simulation can be repeated.</summary>
    public Func<string> NewId { get; init; } = ServiceTasks.RandomId;

    /// <summary>Runs until cancelled; a quiet end is our own. Any exception is a defect, or the end of the store's event stream.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            // A commit without changes: when it returns, the view that is taken next has every commit of an earlier leader.
            await PatientlyAsync(token => store.CommitAsync(new StoreTransaction { LeaderOnly = true }, token), stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }

        var subscription = store.SnapshotAndFollow();
        var view = subscription.Snapshot;
        logger.LoopBegins(view.Services.Count, view.Tasks.Count, view.Nodes.Count);
        var pass = new ManagerPass(store, view, clock, logger, NewId);
        var arrived = new ConcurrentQueue<StoreCommit>();
        var coalescer = new Coalescer(clock, TimeSpan.Zero, TimeSpan.Zero);
        await using var timer = clock.CreateTimer(_ => coalescer.Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        var following = FollowAsync(subscription, arrived, coalescer, ending.Token);
        var passing = PassesAsync(pass, arrived, coalescer, timer, ending.Token);
        var first = await Task.WhenAny(following, passing);
        await ending.CancelAsync();
        try
        {
            await Task.WhenAll(following, passing);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        catch (OperationCanceledException)
        {
            // The other of the two ended because the first one did; the first one's reason counts.
            await first;
        }
    }

    private static async Task FollowAsync(StoreSubscription subscription, ConcurrentQueue<StoreCommit> arrived, Coalescer coalescer, CancellationToken stopping)
    {
        await foreach (var commit in subscription.Commits.WithCancellation(stopping))
        {
            arrived.Enqueue(commit);
            coalescer.Signal();
        }

        throw new InvalidOperationException("The store's event stream has ended.");
    }

    private async Task PassesAsync(ManagerPass pass, ConcurrentQueue<StoreCommit> arrived, Coalescer coalescer, ITimer timer, CancellationToken stopping)
    {
        coalescer.Signal();
        await coalescer.RunAsync(
            async token =>
            {
                while (arrived.TryDequeue(out var commit))
                {
                    pass.Apply(commit);
                }

                try
                {
                    await pass.RunAsync(token);
                }
                catch (ClusterException away) when (away.Kind is ErrorKind.Unavailable or ErrorKind.DeadlineExceeded)
                {
                    logger.StoreAway(away.Message);
                    await PatientlyAsync(pass.CatchUpAsync, token);
                    coalescer.Signal();
                }

                if (pass.WakeAt is { } wake)
                {
                    // A timer that rounds down would fire just before the time and find nothing due.
                    var due = wake - clock.GetUtcNow() + TimeSpan.FromMilliseconds(1);
                    timer.Change(due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                }
            },
            stopping);
    }

    /// <summary>Until the store answers again.</summary>
    private async Task PatientlyAsync(Func<CancellationToken, Task> action, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await action(stopping);
                return;
            }
            catch (ClusterException away) when (away.Kind is ErrorKind.Unavailable or ErrorKind.DeadlineExceeded)
            {
                logger.StoreAway(away.Message);
                await Task.Delay(s_retry, clock, stopping);
            }
        }
    }
}
