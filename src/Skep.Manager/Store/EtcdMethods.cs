using Skep.Protocol.Etcd;
using Skep.Rpc;

namespace Skep.Manager.Store;

/// <summary>etcd's procedures by their names on the wire.</summary>
internal static class EtcdMethods
{
    private const string Kv = "etcdserverpb.KV";

    public static readonly RpcMethod<RangeRequest, RangeResponse> Range = new(Kv, "Range");
    public static readonly RpcMethod<TxnRequest, TxnResponse> Txn = new(Kv, "Txn");
    public static readonly RpcMethod<CompactionRequest, CompactionResponse> Compact = new(Kv, "Compact");
    public static readonly RpcMethod<WatchRequest, WatchResponse> Watch = new("etcdserverpb.Watch", "Watch");
    public static readonly RpcMethod<LeaseGrantRequest, LeaseGrantResponse> LeaseGrant = new("etcdserverpb.Lease", "LeaseGrant");
    public static readonly RpcMethod<LeaseRevokeRequest, LeaseRevokeResponse> LeaseRevoke = new("etcdserverpb.Lease", "LeaseRevoke");
    public static readonly RpcMethod<LeaseKeepAliveRequest, LeaseKeepAliveResponse> LeaseKeepAlive = new("etcdserverpb.Lease", "LeaseKeepAlive");
    public static readonly RpcMethod<StatusRequest, StatusResponse> Status = new("etcdserverpb.Maintenance", "Status");
}
