using System.Net;
using System.Net.Sockets;

namespace Skep.Rpc.Client;

/// <summary>The one mapping from what HTTP reports to gRPC's status codes.</summary>
internal static class RpcFailure
{
    /// <summary>The exception that a caller sees in place of <paramref name="cause"/>.</summary>
    public static Exception From(Exception cause, CancellationToken cancellationToken) => cause switch
    {
        RpcException => cause,
        _ when cancellationToken.IsCancellationRequested => new OperationCanceledException("The call was cancelled.", cause, cancellationToken),
        HttpProtocolException protocol => Reset(protocol),
        HttpRequestException { InnerException: HttpProtocolException protocol } => Reset(protocol),
        HttpIOException { InnerException: HttpProtocolException protocol } => Reset(protocol),
        HttpRequestException { InnerException: SocketException socket } => Unreachable(socket),
        HttpRequestException or IOException or SocketException or ObjectDisposedException => Unreachable(cause),
        OperationCanceledException => new RpcException(RpcStatusCode.Unavailable, "The other side could not be reached in time.", cause),
        _ => new RpcException(RpcStatusCode.Internal, cause.Message, cause),
    };

    /// <summary>Codes for answers that carry no status of their own, as gRPC's HTTP mapping has them.</summary>
    public static RpcStatusCode FromHttp(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => RpcStatusCode.Internal,
        HttpStatusCode.Unauthorized => RpcStatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => RpcStatusCode.PermissionDenied,
        HttpStatusCode.NotFound => RpcStatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout =>
            RpcStatusCode.Unavailable,
        _ => RpcStatusCode.Unknown,
    };

    private static RpcException Unreachable(Exception cause) =>
        new(RpcStatusCode.Unavailable, $"The other side cannot be reached: {cause.Message}", cause);

    // RFC 9113, section 7, mapped as gRPC over HTTP/2 says.
    private static RpcException Reset(HttpProtocolException protocol) => protocol.ErrorCode switch
    {
        0 => new RpcException(RpcStatusCode.Unavailable, "The other side closed the connection.", protocol),
        7 => new RpcException(RpcStatusCode.Unavailable, "The other side refused the stream.", protocol),
        8 => new RpcException(RpcStatusCode.Cancelled, "The other side cancelled the call.", protocol),
        11 => new RpcException(RpcStatusCode.ResourceExhausted, "The other side asks for fewer calls.", protocol),
        12 => new RpcException(RpcStatusCode.PermissionDenied, "The other side finds the connection not safe enough.", protocol),
        _ => new RpcException(RpcStatusCode.Internal, $"The other side reset the call with code {protocol.ErrorCode}.", protocol),
    };
}
