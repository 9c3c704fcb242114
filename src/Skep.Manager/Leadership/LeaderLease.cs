using Google.Protobuf;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Protocol.Etcd;
using Skep.Rpc;

namespace Skep.Manager.Leadership;

/// <summary>One term of office: the leader key, bound to a lease that must be kept alive.</summary>
internal sealed class LeaderLease(EtcdClient etcd, TimeProvider clock, int seconds, long lease, long revision)
{
    /// <summary>The leader key's create-revision, with which the term's transactions are compared.</summary>
    public long Revision => revision;

    /// <summary>
    /// Takes the leader key when nobody holds it or when <paramref name="nodeId"/> itself does: a key that this node's
    /// earlier life left is replaced at once, and a transaction of that life still under way fails.
    /// </summary>
    /// <returns>Null and the holder's node id when another leads.</returns>
    public static async Task<(LeaderLease? Lease, string Holder)> TryTakeAsync(
        EtcdClient etcd,
        TimeProvider clock,
        string nodeId,
        int seconds,
        CancellationToken cancellationToken)
    {
        var found = (await etcd.RangeAsync(new RangeRequest { Key = EtcdKeys.Leader }, cancellationToken)).Kvs.FirstOrDefault();
        var holder = found?.Value.ToStringUtf8() ?? "";
        if (found is not null && holder != nodeId)
        {
            return (null, holder);
        }

        if (found is not null)
        {
            await DropAsync(etcd, found, cancellationToken);
        }

        var grant = await etcd.LeaseGrantAsync(new LeaseGrantRequest { Ttl = seconds }, cancellationToken);
        var take = new TxnRequest();
        take.Compare.Add(new Compare { Target = Compare.Types.CompareTarget.Create, Key = EtcdKeys.Leader, CreateRevision = 0 });
        take.Success.Add(new RequestOp
        {
            RequestPut = new PutRequest { Key = EtcdKeys.Leader, Value = ByteString.CopyFromUtf8(nodeId), Lease = grant.Id },
        });
        var taken = await etcd.TxnAsync(take, cancellationToken);
        if (taken.Succeeded)
        {
            return (new LeaderLease(etcd, clock, seconds, grant.Id, taken.Header.Revision), nodeId);
        }

        await etcd.LeaseRevokeAsync(new LeaseRevokeRequest { Id = grant.Id }, cancellationToken);
        return (null, "another manager");
    }

    /// <summary>
    /// Keeps the lease alive, three times in its life. Returns the reason when the term has ended, and at the latest when the
    /// lease may have run out: no successor can be in office before.
    /// </summary>
    public async Task<string> KeepAsync(CancellationToken stopping)
    {
        var life = TimeSpan.FromSeconds(seconds);
        var lastGood = clock.GetTimestamp();
        while (true)
        {
            var left = life - clock.GetElapsedTime(lastGood);
            if (left <= TimeSpan.Zero)
            {
                return "the store did not extend the lease in time";
            }

            using var late = new CancellationTokenSource(left, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, late.Token);
            try
            {
                await using var call = etcd.KeepAlive(either.Token);
                await using var answers = call.ReadAllAsync(either.Token).GetAsyncEnumerator(either.Token);
                while (true)
                {
                    // The lease counts from when etcd handles the request, which is not before now.
                    var asked = clock.GetTimestamp();
                    await call.WriteAsync(new LeaseKeepAliveRequest { Id = lease }, either.Token);
                    if (!await answers.MoveNextAsync())
                    {
                        break;
                    }

                    if (answers.Current.Ttl <= 0)
                    {
                        return "the lease has run out";
                    }

                    lastGood = asked;
                    left = life - clock.GetElapsedTime(asked);
                    // A machine that stands still for long enough sees the answer only when the lease may have run out again.
                    if (left <= TimeSpan.Zero)
                    {
                        return "the store did not extend the lease in time";
                    }

                    late.CancelAfter(left);
                    await Task.Delay(life / 3, clock, either.Token);
                }
            }
            catch (OperationCanceledException) when (late.IsCancellationRequested && !stopping.IsCancellationRequested)
            {
            }
            catch (RpcException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), clock, stopping);
            }
        }
    }

    /// <summary>Gives up the office, so that another can have it at once. A store that does not answer lets the lease run out.</summary>
    public async Task ResignAsync(CancellationToken cancellationToken)
    {
        try
        {
            await etcd.LeaseRevokeAsync(new LeaseRevokeRequest { Id = lease }, cancellationToken);
        }
        catch (ClusterException)
        {
        }
    }

    private static async Task DropAsync(EtcdClient etcd, KeyValue found, CancellationToken cancellationToken)
    {
        // Only this very key: were it another's by now, the comparison fails and the next step sees it.
        var drop = new TxnRequest();
        drop.Compare.Add(new Compare { Target = Compare.Types.CompareTarget.Create, Key = EtcdKeys.Leader, CreateRevision = found.CreateRevision });
        drop.Success.Add(new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = EtcdKeys.Leader } });
        await etcd.TxnAsync(drop, cancellationToken);
        if (found.Lease != 0)
        {
            try
            {
                await etcd.LeaseRevokeAsync(new LeaseRevokeRequest { Id = found.Lease }, cancellationToken);
            }
            catch (ClusterException gone) when (gone.Kind == ErrorKind.Internal)
            {
                // It ran out meanwhile.
            }
        }
    }
}
