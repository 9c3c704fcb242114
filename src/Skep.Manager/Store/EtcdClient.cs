using Google.Protobuf;
using Skep.Model.Errors;
using Skep.Protocol.Etcd;
using Skep.Rpc;

namespace Skep.Manager.Store;

/// <summary>etcd's API over one channel. A call that etcd does not answer in five seconds is given up.</summary>
/// <exception cref="ClusterException">Unavailable: etcd cannot be reached, has no quorum or does not answer; Internal: it refuses the call.</exception>
public sealed class EtcdClient(RpcChannel channel, TimeProvider clock)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public Task<RangeResponse> RangeAsync(RangeRequest request, CancellationToken cancellationToken) =>
        CallAsync(EtcdMethods.Range, request, cancellationToken);

    public Task<TxnResponse> TxnAsync(TxnRequest request, CancellationToken cancellationToken) =>
        CallAsync(EtcdMethods.Txn, request, cancellationToken);

    public Task<CompactionResponse> CompactAsync(CompactionRequest request, CancellationToken cancellationToken) =>
        CallAsync(EtcdMethods.Compact, request, cancellationToken);

    public Task<LeaseGrantResponse> LeaseGrantAsync(LeaseGrantRequest request, CancellationToken cancellationToken) =>
        CallAsync(EtcdMethods.LeaseGrant, request, cancellationToken);

    public Task<LeaseRevokeResponse> LeaseRevokeAsync(LeaseRevokeRequest request, CancellationToken cancellationToken) =>
        CallAsync(EtcdMethods.LeaseRevoke, request, cancellationToken);

    public Task<StatusResponse> StatusAsync(CancellationToken cancellationToken) =>
        CallAsync(EtcdMethods.Status, new StatusRequest(), cancellationToken);

    /// <summary>Opens a watch; its failures are <see cref="RpcException"/>.</summary>
    public RpcDuplexCall<WatchRequest, WatchResponse> Watch(CancellationToken cancellationToken) =>
        channel.Duplex(EtcdMethods.Watch, cancellationToken);

    /// <summary>Opens a stream of keep-alives; its failures are <see cref="RpcException"/>.</summary>
    public RpcDuplexCall<LeaseKeepAliveRequest, LeaseKeepAliveResponse> KeepAlive(CancellationToken cancellationToken) =>
        channel.Duplex(EtcdMethods.LeaseKeepAlive, cancellationToken);

    private async Task<TResponse> CallAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method,
        TRequest request,
        CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        using var late = new CancellationTokenSource(s_patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return await channel.UnaryAsync(method, request, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ClusterException(ErrorKind.Unavailable, $"the store did not answer within {s_patience.TotalSeconds} s; whether it made the change is not known");
        }
        catch (RpcException refusal)
        {
            throw Failure(refusal);
        }
    }

    internal static ClusterException Failure(RpcException refusal) => refusal.Code switch
    {
        RpcStatusCode.Unavailable or RpcStatusCode.DeadlineExceeded or RpcStatusCode.Cancelled =>
            new ClusterException(ErrorKind.Unavailable, $"the store is not available: {refusal.Message}", refusal),
        RpcStatusCode.ResourceExhausted =>
            new ClusterException(ErrorKind.Unavailable, $"the store takes no more: {refusal.Message}", refusal),
        _ => new ClusterException(ErrorKind.Internal, $"the store refused a call: {refusal.Message}", refusal),
    };
}
