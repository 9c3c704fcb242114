using System.Diagnostics;
using Skep.Model.Errors;
using Skep.Rpc;

namespace Skep.Daemon.Swarm;

/// <summary>The one mapping between refusals and gRPC's status codes, in both directions.</summary>
internal static class RpcErrors
{
    public static RpcException? FromAny(Exception exception) => exception is ClusterException e ? new RpcException(CodeOf(e.Kind), e.Message) : null;

    public static RpcStatusCode CodeOf(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidArgument => RpcStatusCode.InvalidArgument,
        ErrorKind.FailedPrecondition => RpcStatusCode.FailedPrecondition,
        ErrorKind.Unauthorized => RpcStatusCode.Unauthenticated,
        ErrorKind.Forbidden => RpcStatusCode.PermissionDenied,
        ErrorKind.NotFound => RpcStatusCode.NotFound,
        ErrorKind.Conflict => RpcStatusCode.AlreadyExists,
        ErrorKind.OutOfSequence => RpcStatusCode.Aborted,
        ErrorKind.NotImplemented => RpcStatusCode.Unimplemented,
        ErrorKind.Unavailable => RpcStatusCode.Unavailable,
        ErrorKind.DeadlineExceeded => RpcStatusCode.DeadlineExceeded,
        ErrorKind.Internal => RpcStatusCode.Internal,
        _ => throw new UnreachableException($"No gRPC status for {kind}."),
    };

    public static ClusterException ToCluster(RpcException exception) => new(
        exception.Code switch
        {
            RpcStatusCode.InvalidArgument => ErrorKind.InvalidArgument,
            RpcStatusCode.FailedPrecondition => ErrorKind.FailedPrecondition,
            RpcStatusCode.Unauthenticated => ErrorKind.Unauthorized,
            RpcStatusCode.PermissionDenied => ErrorKind.Forbidden,
            RpcStatusCode.NotFound => ErrorKind.NotFound,
            RpcStatusCode.AlreadyExists => ErrorKind.Conflict,
            RpcStatusCode.Aborted => ErrorKind.OutOfSequence,
            RpcStatusCode.Unimplemented => ErrorKind.NotImplemented,
            RpcStatusCode.Unavailable => ErrorKind.Unavailable,
            RpcStatusCode.DeadlineExceeded => ErrorKind.DeadlineExceeded,
            _ => ErrorKind.Internal,
        },
        exception.Message,
        exception);
}
