using Microsoft.Extensions.Logging;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Protocol.Etcd;
using Skep.Protocol.Records;

namespace Skep.Manager.Store;

/// <summary>
/// The store on etcd. Reads are of a mirror in memory that one watch keeps new; each commit is one etcd transaction and
/// returns when the mirror holds it. An object's version is etcd's modification revision.
/// </summary>
public sealed class EtcdClusterStore(EtcdClient etcd, TimeProvider clock, ILogger<EtcdClusterStore> logger) : IClusterStore, IAsyncDisposable
{
    private static readonly TimeSpan s_mirrorPatience = TimeSpan.FromSeconds(10);

    private readonly StoreMirror _mirror = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task _following = Task.CompletedTask;

    public StoreView Current => _mirror.Current;

    /// <summary>
    /// The create-revision of this manager's leader key; null while another leads. Transactions for the leader alone are
    /// compared with it, so a manager that lost the leadership without knowing cannot write.
    /// </summary>
    public long? LeaderRevision { get; set; }

    /// <summary>Loads everything at one revision, then keeps following until disposed. Call once.</summary>
    /// <exception cref="ClusterException">Unavailable: etcd does not answer.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var follower = new EtcdFollower(etcd, _mirror, clock, logger);
        await follower.ReloadAsync(cancellationToken);
        _following = follower.RunAsync(_stopping.Token);
    }

    public StoreSubscription SnapshotAndFollow() => _mirror.SnapshotAndFollow();

    public async Task<ulong> CommitAsync(StoreTransaction transaction, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        transaction.Check();
        var wanted = new EtcdTransaction();
        if (transaction.LeaderOnly)
        {
            wanted.RequireLeader(LeaderRevision ?? throw EtcdTransaction.NotLeader());
        }

        if (transaction.IsEmpty && !transaction.LeaderOnly)
        {
            return Current.Revision;
        }

        if (transaction.IsEmpty)
        {
            // The watch brings revisions in their order: with this one the mirror has every commit of an earlier leader, whose
            // transactions have failed since the leader key changed. The leader key itself is not watched, and a read would tell a
            // revision that the watch may never reach.
            wanted.Touch();
        }

        foreach (var (verb, value) in transaction.Changes)
        {
            switch (verb)
            {
                case StoreVerb.Create: wanted.Create(value); break;
                case StoreVerb.Update: wanted.Update(value, await StoredAsync(value, cancellationToken)); break;
                default: wanted.Remove(value, await StoredAsync(value, cancellationToken)); break;
            }
        }

        var response = await etcd.TxnAsync(wanted.Request, cancellationToken);
        if (!response.Succeeded)
        {
            throw wanted.Reason(response);
        }

        var revision = (ulong)response.Header.Revision;
        await MirroredAsync(revision, cancellationToken);
        return revision;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _following;
        _stopping.Dispose();
    }

    /// <summary>
    /// The stored value of the version that <paramref name="value"/> names; its old name must be known. The mirror has it
    /// unless another manager wrote it a moment ago.
    /// </summary>
    private async ValueTask<SwarmObject> StoredAsync(SwarmObject value, CancellationToken cancellationToken)
    {
        var mirrored = Current.Find(value.Kind, value.Id);
        if (mirrored?.Version == value.Version)
        {
            return mirrored;
        }

        if (mirrored?.Version > value.Version)
        {
            throw ClusterException.OutOfSequence();
        }

        var key = EtcdKeys.Object(value.Kind, value.Id);
        var found = (await etcd.RangeAsync(new RangeRequest { Key = key }, cancellationToken)).Kvs.FirstOrDefault()
            ?? throw ClusterException.NotFound(value.Kind.Word(), value.Id);
        return (ulong)found.ModRevision == value.Version
            ? RecordCodec.Decode(value.Kind, found.Value.Span, value.Version)
            : throw ClusterException.OutOfSequence();
    }

    private async Task MirroredAsync(ulong revision, CancellationToken cancellationToken)
    {
        try
        {
            await _mirror.ReachedAsync(revision).WaitAsync(s_mirrorPatience, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new ClusterException(ErrorKind.Unavailable, $"the change was made at revision {revision}, but this manager has not seen it yet");
        }
    }
}
