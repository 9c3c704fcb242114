using Skep.Daemon.Swarm;

namespace Skep.Daemon.Http.Engine;

/// <summary>The first request of every command: which API, which system, which part in a swarm.</summary>
internal static class PingEndpoint
{
    public static void MapPing(this IEndpointRouteBuilder routes, EngineServices services) =>
        routes.MapMethods("/_ping", ["GET", "HEAD"], (RequestDelegate)(context => PingAsync(context, services.Swarm.Membership)));

    /// <summary>inactive, pending, locked, error, active/manager or active/worker.</summary>
    internal static string SwarmHeader(SwarmMembership membership) => membership.State == "active"
        ? membership.ControlAvailable ? "active/manager" : "active/worker"
        : membership.State;

    private static Task PingAsync(HttpContext context, SwarmMembership membership)
    {
        var response = context.Response;
        response.Headers.CacheControl = "no-cache, no-store, must-revalidate";
        response.Headers.Pragma = "no-cache";
        response.Headers["Swarm"] = SwarmHeader(membership);
        response.ContentType = "text/plain; charset=utf-8";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            response.ContentLength = 0;
            return Task.CompletedTask;
        }

        response.ContentLength = 2;
        return response.Body.WriteAsync("OK"u8.ToArray(), context.RequestAborted).AsTask();
    }
}
