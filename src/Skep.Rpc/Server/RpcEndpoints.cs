using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Skep.Rpc.Server;

namespace Skep.Rpc;

/// <summary>
/// Puts methods on an HTTP/2 server. A handler's <see cref="RpcException"/> becomes the call's status; other exceptions go
/// through <see cref="RpcErrorMapper"/>.
/// </summary>
public static class RpcEndpoints
{
    public static IEndpointConventionBuilder MapUnary<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        RpcMethod<TRequest, TResponse> method,
        Func<TRequest, RpcContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        endpoints.Map(method, async call => await call.WriteAsync(await handler(await call.ReadSingleAsync(), call.Context)));

    public static IEndpointConventionBuilder MapServerStream<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        RpcMethod<TRequest, TResponse> method,
        Func<TRequest, RpcContext, IAsyncEnumerable<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        endpoints.Map(method, async call => await call.WriteAllAsync(handler(await call.ReadSingleAsync(), call.Context)));

    public static IEndpointConventionBuilder MapClientStream<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        RpcMethod<TRequest, TResponse> method,
        Func<IAsyncEnumerable<TRequest>, RpcContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        endpoints.Map(method, async call => await call.WriteAsync(await handler(call.ReadAllAsync(), call.Context)));

    public static IEndpointConventionBuilder MapDuplex<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        RpcMethod<TRequest, TResponse> method,
        Func<IAsyncEnumerable<TRequest>, RpcContext, IAsyncEnumerable<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        endpoints.Map(method, call => call.WriteAllAsync(handler(call.ReadAllAsync(), call.Context)));

    private static IEndpointConventionBuilder Map<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        RpcMethod<TRequest, TResponse> method,
        Func<RpcServerCall<TRequest, TResponse>, Task> body)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        endpoints.MapPost(method.Path, http => new RpcServerCall<TRequest, TResponse>(http).RunAsync(body));
}
