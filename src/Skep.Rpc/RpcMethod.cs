using Google.Protobuf;

namespace Skep.Rpc;

/// <summary>One remote procedure: the full service name with its package (<c>etcdserverpb.KV</c>) and the method's name.</summary>
public sealed record RpcMethod<TRequest, TResponse>(string Service, string Name)
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    /// <summary>The HTTP path that stands for the method.</summary>
    public string Path { get; } = $"/{Service}/{Name}";
}
