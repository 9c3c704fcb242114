using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Swarm;
using Skep.EngineApi.Swarm;
using Skep.Manager.Control;
using Skep.Model.Errors;
using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.Daemon.Http.Swarm;

/// <summary>init, join, leave, inspect, update.</summary>
internal static class SwarmEndpoints
{
    public static void MapSwarm(this IEndpointRouteBuilder routes, EngineServices services, ManagerAccess manager)
    {
        routes.MapPost("/swarm/init", (RequestDelegate)(context => InitAsync(context, services.Swarm)));
        routes.MapPost("/swarm/join", (RequestDelegate)(context => JoinAsync(context, services.Swarm)));
        routes.MapPost("/swarm/leave", (RequestDelegate)(async context =>
        {
            await services.Swarm.LeaveAsync(context.Flag("force"), context.RequestAborted);
            await context.WriteEmptyAsync();
        }));
        routes.MapGet("/swarm", (RequestDelegate)(context => context.WriteJsonAsync(
            SwarmAnswers.WithTokens(manager.Require().Swarm.Cluster), SwarmJson.Default.SwarmInspect)));
        routes.MapPost("/swarm/update", (RequestDelegate)(context => UpdateAsync(context, manager.Require())));
        routes.MapGet("/swarm/unlockkey", (RequestDelegate)(context =>
        {
            manager.Require();
            return context.WriteJsonAsync(new UnlockKeyAnswer(""), SwarmJson.Default.UnlockKeyAnswer);
        }));
        routes.MapPost("/swarm/unlock", (RequestDelegate)(_ => throw new ClusterException(
            ErrorKind.Conflict, services.Swarm.Membership.State == "inactive" ? "This node is not part of a swarm" : "swarm is not locked")));
    }

    private static async Task InitAsync(HttpContext context, ISwarmNode node)
    {
        var request = await context.ReadJsonAsync(SwarmJson.Default.SwarmInitRequest);
        var spec = SpecCompletion.Complete(request.Spec);
        Problem.Refuse(ClusterRules.Check(spec));
        if (ClusterRules.Unsupported(spec) is { } sentence)
        {
            throw new ClusterException(ErrorKind.NotImplemented, sentence);
        }

        CheckAvailability(request.Availability);
        var id = await node.InitAsync(
            new SwarmInit
            {
                ListenAddress = NotEmpty(request.ListenAddr, "0.0.0.0:2377"),
                AdvertiseAddress = request.AdvertiseAddr ?? "",
                DataPathAddress = request.DataPathAddr ?? "",
                DataPathPort = request.DataPathPort,
                DefaultAddressPool = request.DefaultAddrPool ?? [],
                SubnetSize = request.SubnetSize,
                Availability = request.Availability ?? "",
                ForceNewCluster = request.ForceNewCluster,
                AutoLock = request.AutoLockManagers || spec.EncryptionConfig.AutoLockManagers,
                Spec = spec with { Name = "default" },
            },
            context.RequestAborted);
        await context.WriteJsonAsync(id, SwarmJson.Default.String);
    }

    private static async Task JoinAsync(HttpContext context, ISwarmNode node)
    {
        var request = await context.ReadJsonAsync(SwarmJson.Default.SwarmJoinRequest);
        CheckAvailability(request.Availability);
        if (request.RemoteAddrs is not { Count: > 0 })
        {
            throw ClusterException.Invalid("at least 1 RemoteAddr is required to join");
        }

        await node.JoinAsync(
            new SwarmJoin
            {
                ListenAddress = NotEmpty(request.ListenAddr, "0.0.0.0:2377"),
                AdvertiseAddress = request.AdvertiseAddr ?? "",
                DataPathAddress = request.DataPathAddr ?? "",
                RemoteAddresses = request.RemoteAddrs,
                Token = request.JoinToken ?? "",
                Availability = request.Availability ?? "",
            },
            context.RequestAborted);
        await context.WriteEmptyAsync();
    }

    private static async Task UpdateAsync(HttpContext context, ClusterControl control)
    {
        if (context.Flag("rotateManagerUnlockKey"))
        {
            throw new ClusterException(ErrorKind.NotImplemented, "autolock is not done by this version");
        }

        var spec = await context.ReadJsonAsync(SwarmJson.Default.ClusterSpec);
        var rotate = new TokenRotation(context.Flag("rotateWorkerToken"), context.Flag("rotateManagerToken"));
        await control.Swarm.UpdateAsync(context.ObjectVersion(), spec, rotate, context.RequestAborted);
        await context.WriteEmptyAsync();
    }

    private static void CheckAvailability(string? availability)
    {
        if (availability is not (null or "" or NodeSpec.Active or NodeSpec.Pause or NodeSpec.Drain))
        {
            throw ClusterException.Invalid($"invalid Availability: \"{availability}\"");
        }
    }

    private static string NotEmpty(string? text, string otherwise) => string.IsNullOrEmpty(text) ? otherwise : text;
}
