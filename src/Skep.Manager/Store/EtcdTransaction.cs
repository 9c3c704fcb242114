using Google.Protobuf;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Protocol.Etcd;
using Skep.Protocol.Records;

namespace Skep.Manager.Store;

/// <summary>
/// A transaction in etcd's terms: a list of comparisons, the writes for when all hold, and one read per comparison for when
/// one does not, from which the reason is told.
/// </summary>
internal sealed class EtcdTransaction
{
    private readonly List<Func<KeyValue?, ClusterException?>> _reasons = [];
    private readonly HashSet<ByteString> _names = [];

    public TxnRequest Request { get; } = new();

    /// <summary>Demands that the leader key still is the one that was created at <paramref name="revision"/>.</summary>
    public void RequireLeader(long revision) => Require(
        new Compare { Target = Compare.Types.CompareTarget.Create, Key = EtcdKeys.Leader, CreateRevision = revision },
        found => found?.CreateRevision == revision ? null : NotLeader());

    /// <summary>Writes nothing that matters, so that the watch has something to bring.</summary>
    public void Touch() => Put(EtcdKeys.Barrier, ByteString.Empty);

    public void Create(SwarmObject value)
    {
        var key = EtcdKeys.Object(value.Kind, value.Id);
        RequireAbsent(key, value);
        Put(key, UnsafeByteOperations.UnsafeWrap(RecordCodec.Encode(value)));
        if (EtcdKeys.Name(value) is { } name)
        {
            TakeName(name, value);
        }
    }

    /// <param name="value">The new value, with the version that it replaces.</param>
    /// <param name="old">The stored value of that version.</param>
    public void Update(SwarmObject value, SwarmObject old)
    {
        var key = EtcdKeys.Object(value.Kind, value.Id);
        RequireVersion(key, value);
        Put(key, UnsafeByteOperations.UnsafeWrap(RecordCodec.Encode(value)));
        var (before, after) = (EtcdKeys.Name(old), EtcdKeys.Name(value));
        if (Equals(before, after))
        {
            return;
        }

        if (after is not null)
        {
            TakeName(after, value);
        }

        DropName(before, value);
    }

    public void Remove(SwarmObject value, SwarmObject old)
    {
        var key = EtcdKeys.Object(value.Kind, value.Id);
        RequireVersion(key, value);
        Delete(key);
        DropName(EtcdKeys.Name(old), value);
    }

    /// <summary>Why etcd did not make the writes: the first comparison that does not hold.</summary>
    public ClusterException Reason(TxnResponse response)
    {
        for (var i = 0; i < _reasons.Count; i++)
        {
            if (_reasons[i](response.Responses[i].ResponseRange.Kvs.FirstOrDefault()) is { } reason)
            {
                return reason;
            }
        }

        return new ClusterException(ErrorKind.Internal, "the store refused a transaction whose conditions all hold");
    }

    public static ClusterException NotLeader() => new(ErrorKind.Unavailable, "this manager is not the leader");

    private static ClusterException Exists(SwarmObject value) =>
        new(ErrorKind.Conflict, $"{value.Kind.Word()} {value.UniqueName ?? value.Id} already exists");

    private void RequireAbsent(ByteString key, SwarmObject value) => Require(
        new Compare { Target = Compare.Types.CompareTarget.Create, Key = key, CreateRevision = 0 },
        found => found is null ? null : Exists(value));

    private void RequireVersion(ByteString key, SwarmObject value) => Require(
        new Compare { Target = Compare.Types.CompareTarget.Mod, Key = key, ModRevision = (long)value.Version },
        found => found is null ? ClusterException.NotFound(value.Kind.Word(), value.Id)
            : found.ModRevision != (long)value.Version ? ClusterException.OutOfSequence()
            : null);

    // etcd refuses a transaction that writes a key twice, so a name cannot pass from one object to another in one step.
    private void TakeName(ByteString name, SwarmObject value)
    {
        if (!_names.Add(name))
        {
            throw Exists(value);
        }

        RequireAbsent(name, value);
        Put(name, ByteString.CopyFromUtf8(value.Id));
    }

    private void DropName(ByteString? name, SwarmObject value)
    {
        if (name is null)
        {
            return;
        }

        if (!_names.Add(name))
        {
            throw Exists(value);
        }

        Delete(name);
    }

    private void Require(Compare compare, Func<KeyValue?, ClusterException?> reason)
    {
        Request.Compare.Add(compare);
        Request.Failure.Add(new RequestOp { RequestRange = new RangeRequest { Key = compare.Key, KeysOnly = true } });
        _reasons.Add(reason);
    }

    private void Put(ByteString key, ByteString value) =>
        Request.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = key, Value = value } });

    private void Delete(ByteString key) =>
        Request.Success.Add(new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = key } });
}
