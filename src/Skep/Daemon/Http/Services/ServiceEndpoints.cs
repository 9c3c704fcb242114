using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Http.Swarm;
using Skep.EngineApi.Services;
using Skep.Manager.Control;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Rules;

namespace Skep.Daemon.Http.Services;

internal static class ServiceEndpoints
{
    public static void MapServices(this IEndpointRouteBuilder routes, ManagerAccess manager)
    {
        routes.MapGet("/services", (RequestDelegate)(context => ListAsync(context, manager.Require())));
        routes.MapPost("/services/create", (RequestDelegate)(context => CreateAsync(context, manager.Require())));
        routes.MapGet("/services/{name}", (RequestDelegate)(context => InspectAsync(context, manager.Require())));
        routes.MapPost("/services/{name}/update", (RequestDelegate)(context => UpdateAsync(context, manager.Require())));
        routes.MapDelete("/services/{name}", (RequestDelegate)(async context =>
        {
            await manager.Require().Services.RemoveAsync(context.Segment("name"), context.RequestAborted);
            await context.WriteEmptyAsync();
        }));
        routes.MapGet("/services/{name}/logs", (RequestDelegate)(context =>
        {
            var part = manager.RequirePart();
            var service = Lookup.Service(part.Store.Current, context.Segment("name"));
            return ServiceLogsEndpoint.WriteAsync(context, part, service.Id, taskId: null);
        }));
    }

    private static Task ListAsync(HttpContext context, ClusterControl control)
    {
        var filters = Filters.Of(context, "id", "name", "label", "mode", "runtime");
        var view = control.View;
        var status = context.Flag("status");
        IReadOnlyList<ServiceInspect> services =
        [
            .. view.Services.Values.Where(s => Matches(s, filters)).OrderBy(s => s.CreatedAt).ThenBy(s => s.Id, StringComparer.Ordinal)
                .Select(s => status ? ServiceInspect.Of(s) with { ServiceStatus = StatusOf(ServiceControl.Count(view, s)) } : ServiceInspect.Of(s)),
        ];
        return context.WriteJsonAsync(services, ServiceJson.Default.IReadOnlyListServiceInspect);
    }

    private static ServiceStatusShape StatusOf((ulong Running, ulong Desired) count) => new(count.Running, count.Desired, 0);

    private static async Task CreateAsync(HttpContext context, ClusterControl control)
    {
        var spec = await context.ReadJsonAsync(ServiceJson.Default.ServiceSpec);
        var id = await control.Services.CreateAsync(spec, context.Request.Headers["X-Registry-Auth"], context.RequestAborted);
        await context.WriteJsonAsync(new ServiceCreateAnswer(id, WarningsOf(control, id)), ServiceJson.Default.ServiceCreateAnswer, StatusCodes.Status201Created);
    }

    private static IReadOnlyList<string>? WarningsOf(ClusterControl control, string reference)
    {
        var view = control.View;
        var warnings = ServiceCanaries.Warnings(Lookup.Service(view, reference).Spec, view);
        return warnings.Count > 0 ? warnings : null;
    }

    private static Task InspectAsync(HttpContext context, ClusterControl control)
    {
        var view = control.View;
        var service = Lookup.Service(view, context.Segment("name"));
        var shown = context.Flag("insertDefaults") ? service with { Spec = SpecDefaults.Fill(service.Spec) } : service;
        var drains = ServiceDrain.Of(view.TasksOfService(service.Id), node => view.Nodes.GetValueOrDefault(node)?.Description?.Hostname ?? node);
        return context.WriteJsonAsync(ServiceInspect.Of(shown).With(drains), ServiceJson.Default.ServiceInspect);
    }

    private static async Task UpdateAsync(HttpContext context, ClusterControl control)
    {
        if (context.Text("rollback") is { Length: > 0 } rollback)
        {
            throw rollback == "previous"
                ? new ClusterException(ErrorKind.NotImplemented, "rollback is not done by this version; update the service to what it was")
                : ClusterException.Invalid($"unrecognized rollback option {rollback}");
        }

        var spec = await context.ReadJsonAsync(ServiceJson.Default.ServiceSpec);
        var auth = RegistryAuthSource.Of(context.Request.Headers["X-Registry-Auth"], context.Text("registryAuthFrom"));
        await control.Services.UpdateAsync(context.Segment("name"), context.ObjectVersion(), spec, auth, context.RequestAborted);
        await context.WriteJsonAsync(new ServiceUpdateAnswer(WarningsOf(control, context.Segment("name"))), ServiceJson.Default.ServiceUpdateAnswer);
    }

    private static bool Matches(SwarmService service, Filters filters) =>
        filters.Any("id", id => service.Id.StartsWith(id, StringComparison.Ordinal))
        && filters.Any("name", name => service.Spec.Name.StartsWith(name, StringComparison.Ordinal))
        && filters.Any("mode", mode => mode == (service.Spec.Mode.Global is null ? "replicated" : "global"))
        && filters.Any("runtime", runtime => runtime == "container")
        && filters.Labels("label", service.Spec.Labels);
}
