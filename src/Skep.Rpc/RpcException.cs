namespace Skep.Rpc;

/// <summary>A call that ended with a status other than OK, on either side of the wire.</summary>
public sealed class RpcException : Exception
{
    public RpcException(RpcStatusCode code, string message)
        : base(message) => Code = code;

    public RpcException(RpcStatusCode code, string message, Exception inner)
        : base(message, inner) => Code = code;

    public RpcStatusCode Code { get; }
}
