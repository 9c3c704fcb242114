using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Http.Swarm;
using Skep.EngineApi.Networks;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.Daemon.Http.Networks;

internal static class NetworkEndpoints
{
    public static void MapNetworks(this IEndpointRouteBuilder routes, EngineServices services, ManagerAccess manager)
    {
        var catalog = new NetworkCatalog(services, manager);
        routes.MapGet("/networks", (RequestDelegate)(context => context.WriteJsonAsync(
            catalog.List(Filters.Of(context, "driver", "id", "label", "name", "scope", "type", "dangling")), NetworkJson.Default.IReadOnlyListNetworkInspect)));
        routes.MapGet("/networks/{name}", (RequestDelegate)(context => context.WriteJsonAsync(
            catalog.Inspect(context.Segment("name"), context.Text("scope")), NetworkJson.Default.NetworkInspect)));
        routes.MapPost("/networks/create", (RequestDelegate)(context => CreateAsync(context, services, manager)));
        routes.MapPost("/networks/prune", (RequestDelegate)(context => PruneAsync(context, services, manager)));
        routes.MapDelete("/networks/{name}", (RequestDelegate)(context => RemoveAsync(context, catalog, manager)));
        foreach (var verb in new[] { "connect", "disconnect" })
        {
            routes.MapPost($"/networks/{{name}}/{verb}", (RequestDelegate)(_ => throw new ClusterException(
                ErrorKind.NotImplemented, $"This version cannot {verb} containers by hand; a service's networks are part of its specification.")));
        }
    }

    private static async Task CreateAsync(HttpContext context, EngineServices services, ManagerAccess manager)
    {
        var request = await context.ReadJsonAsync(NetworkJson.Default.NetworkCreateRequest);
        var name = request.Name ?? "";
        if (LocalNetworks.IsPredefined(name))
        {
            throw new ClusterException(ErrorKind.Forbidden, $"operation is not permitted on predefined {name} network ");
        }

        if (request.ConfigOnly || !string.IsNullOrEmpty(request.ConfigFrom?.Network))
        {
            throw new ClusterException(ErrorKind.NotImplemented, "config-only networks are not done by this version");
        }

        var driver = string.IsNullOrEmpty(request.Driver) ? (request.Scope == "swarm" ? "overlay" : "bridge") : request.Driver;
        if (driver != "overlay" && request.Scope != "swarm")
        {
            throw new ClusterException(ErrorKind.NotImplemented, $"network driver \"{driver}\" is not done by this version; use overlay");
        }

        if (services.Swarm.Membership is { State: "active", ControlAvailable: false })
        {
            throw new ClusterException(
                ErrorKind.Forbidden, "Cannot create a multi-host network from a worker node. Please create the network from a manager node.");
        }

        var id = await manager.Require().Networks.CreateAsync(SpecOf(request, name, driver), context.RequestAborted);
        await context.WriteJsonAsync(new NetworkCreateAnswer(id, ""), NetworkJson.Default.NetworkCreateAnswer, StatusCodes.Status201Created);
    }

    private static NetworkSpec SpecOf(NetworkCreateRequest request, string name, string driver) => new()
    {
        Name = name,
        Labels = request.Labels ?? new Dictionary<string, string>(),
        DriverConfiguration = new Driver { Name = driver, Options = request.Options },
        EnableIPv4 = request.EnableIPv4 ?? Option(request, "com.docker.network.enable_ipv4") ?? true,
        EnableIPv6 = request.EnableIPv6 is true || (Option(request, "com.docker.network.enable_ipv6") ?? false),
        Internal = request.Internal,
        Attachable = request.Attachable,
        Ingress = request.Ingress,
        IPAMOptions = new IpamOptions
        {
            Driver = new Driver { Name = string.IsNullOrEmpty(request.IPAM?.Driver) ? "default" : request.IPAM.Driver, Options = request.IPAM?.Options },
            Configs = request.IPAM?.Config is { Count: > 0 } configs ? configs : null,
        },
    };

    /// <summary>The family switches as driver options: compose files and older clients have no others.</summary>
    private static bool? Option(NetworkCreateRequest request, string name) => request.Options?.GetValueOrDefault(name) switch
    {
        null => null,
        "1" or "t" or "T" or "true" or "True" or "TRUE" => true,
        "0" or "f" or "F" or "false" or "False" or "FALSE" => false,
        var text => throw ClusterException.Invalid($"invalid value for {name}: \"{text}\" is neither true nor false"),
    };

    private static async Task RemoveAsync(HttpContext context, NetworkCatalog catalog, ManagerAccess manager)
    {
        var network = catalog.Find(context.Segment("name"), scope: null);
        if (network.Scope == "local")
        {
            throw LocalNetworks.IsPredefined(network.Name)
                ? new ClusterException(ErrorKind.Forbidden, $"{network.Name} is a pre-defined network and cannot be removed")
                : new ClusterException(
                    ErrorKind.Forbidden, $"error while removing network: network {network.Name} id {network.Id} has active endpoints");
        }

        await manager.Require().Networks.RemoveAsync(network.Id, context.RequestAborted);
        await context.WriteEmptyAsync(StatusCodes.Status204NoContent);
    }

    private static async Task PruneAsync(HttpContext context, EngineServices services, ManagerAccess manager)
    {
        var filters = Filters.Of(context, "until", "label", "label!");
        DateTimeOffset? until = filters["until"] is [var text]
            ? Timestamps.MomentOrAgo(text, services.Clock) ?? throw ClusterException.Invalid($"invalid filter 'until={text}'")
            : null;
        bool Chosen(SwarmNetwork network) =>
            filters.Labels("label", network.Spec.Labels)
            && !filters["label!"].Any(l => Filters.Holds(l, network.Spec.Labels))
            && (until is null || network.CreatedAt < until);
        var removed = manager.Find() is { } control ? await control.Networks.PruneAsync(Chosen, context.RequestAborted) : [];
        await context.WriteJsonAsync(new NetworkPruneAnswer(removed.Count == 0 ? null : removed), NetworkJson.Default.NetworkPruneAnswer);
    }
}
