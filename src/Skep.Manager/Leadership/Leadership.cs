using Microsoft.Extensions.Logging;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Protocol.Etcd;
using Skep.Rpc;

namespace Skep.Manager.Leadership;

/// <summary>
/// Decides by an etcd lease which manager runs the loops. While this one leads, the store has the fence that its
/// leader-only transactions are compared with.
/// </summary>
public sealed class Leadership(
    EtcdClient etcd,
    EtcdClusterStore store,
    LeadershipOptions options,
    TimeProvider clock,
    ILogger<Leadership> logger)
{
    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(250);

    private volatile string? _leader;

    /// <summary>The leading manager's node id as it was last seen; null when none is known.</summary>
    public string? LeaderId => _leader;

    public bool IsLeader => store.LeaderRevision is not null;

    /// <summary>
    /// Runs <paramref name="whileLeader"/> in each term of this manager; its token ends with the term, and the next election
    /// waits for its end. An exception out of it, or its end within the term, ends the office and the call.
    /// </summary>
    public async Task RunAsync(Func<CancellationToken, Task> whileLeader, CancellationToken stopping)
    {
        while (true)
        {
            stopping.ThrowIfCancellationRequested();
            try
            {
                var (lease, holder) = await LeaderLease.TryTakeAsync(etcd, clock, options.NodeId, options.LeaseSeconds, stopping);
                _leader = holder;
                if (lease is not null)
                {
                    if (await GovernAsync(lease, whileLeader, stopping))
                    {
                        return;
                    }

                    continue;
                }

                logger.Following(holder);
                await VacancyAsync(stopping);
                continue;
            }
            catch (ClusterException failure) when (failure.Kind is ErrorKind.Unavailable or ErrorKind.Internal && !IsLeader)
            {
                logger.ElectionFailed(failure.Message);
            }
            catch (RpcException failure)
            {
                logger.ElectionFailed(failure.Message);
            }

            await Task.Delay(s_retry, clock, stopping);
        }
    }

    /// <summary>One term. True when <paramref name="whileLeader"/> ended by itself.</summary>
    private async Task<bool> GovernAsync(LeaderLease lease, Func<CancellationToken, Task> whileLeader, CancellationToken stopping)
    {
        using var term = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        store.LeaderRevision = lease.Revision;
        logger.Elected(lease.Revision);
        var keeping = lease.KeepAsync(term.Token);
        var working = Task.Run(() => whileLeader(term.Token), CancellationToken.None);
        try
        {
            if (await Task.WhenAny(keeping, working) == working)
            {
                await working;
                return true;
            }

            logger.Deposed(await keeping);
            return false;
        }
        finally
        {
            store.LeaderRevision = null;
            _leader = null;
            await term.CancelAsync();
            await Task.WhenAll(keeping, working).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await lease.ResignAsync(CancellationToken.None);
        }
    }

    /// <summary>Waits until the leader key is deleted, by its holder or by the end of its lease.</summary>
    private async Task VacancyAsync(CancellationToken stopping)
    {
        var now = await etcd.RangeAsync(new RangeRequest { Key = EtcdKeys.Leader }, stopping);
        if (now.Kvs.Count == 0)
        {
            return;
        }

        await using var call = etcd.Watch(stopping);
        await call.WriteAsync(
            new WatchRequest { CreateRequest = new WatchCreateRequest { Key = EtcdKeys.Leader, StartRevision = now.Header.Revision + 1 } },
            stopping);
        await foreach (var response in call.ReadAllAsync(stopping))
        {
            if (response.Canceled || response.Events.Any(e => e.Type == Event.Types.EventType.Delete))
            {
                return;
            }
        }
    }
}
