using Microsoft.Extensions.DependencyInjection;

namespace Skep.Rpc;

/// <summary>Gives the exceptions of the program their status; null leaves one unmapped, which the caller sees as Unknown.</summary>
public sealed class RpcErrorMapper(Func<Exception, RpcException?> map)
{
    public RpcException? Map(Exception exception) => map(exception);
}

/// <summary>Registration of what the server side needs from the program.</summary>
public static class RpcServices
{
    /// <summary>Registers the one mapping from the program's exceptions to statuses.</summary>
    public static IServiceCollection AddRpcErrors(this IServiceCollection services, Func<Exception, RpcException?> map) =>
        services.AddSingleton(new RpcErrorMapper(map));
}
