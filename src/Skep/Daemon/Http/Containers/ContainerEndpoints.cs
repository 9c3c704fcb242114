using Skep.Agent.Runtime;
using Skep.Daemon.Http.Exec;
using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Containers;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>The containers of this node, whoever made them.</summary>
internal static class ContainerEndpoints
{
    public static void MapContainers(this IEndpointRouteBuilder routes, EngineServices services)
    {
        var runtime = services.Containers;
        var shapes = new ContainerShapes(services.Network, services.Identity, services.Clock);
        routes.MapGet("/containers/json", (RequestDelegate)(context => ContainerList.AnswerAsync(context, runtime, shapes)));
        routes.MapGet("/containers/{name}/json", (RequestDelegate)(context =>
            context.WriteJsonAsync(shapes.Inspect(runtime.Find(context.Reference())), ContainerJson.Default.ContainerInspect)));
        routes.MapGet("/containers/{name}/logs", (RequestDelegate)(context => ContainerLogs.WriteAsync(context, runtime)));
        routes.MapPost("/containers/{name}/attach", (RequestDelegate)(context => ContainerAttach.RunAsync(context, runtime)));
        routes.MapPost("/containers/{name}/wait", (RequestDelegate)(context => ContainerWait.AnswerAsync(context, runtime)));
        routes.MapGet("/containers/{name}/top", (RequestDelegate)(context => TopAsync(context, runtime, services.Clock)));
        routes.MapGet("/containers/{name}/stats", (RequestDelegate)(context => ContainerStatsEndpoint.WriteAsync(context, runtime, services.Clock)));
        routes.MapPost("/containers/{name}/resize", (RequestDelegate)(async context =>
        {
            var (width, height) = context.ConsoleSize();
            await runtime.ResizeAsync(Running(runtime, context).Id, width, height, context.RequestAborted);
            await context.WriteEmptyAsync();
        }));
        routes.MapContainerChanges(services);
        routes.MapContainerRefusals(runtime);
        routes.MapExec(runtime);
    }

    private static async Task TopAsync(HttpContext context, IContainerRuntime runtime, TimeProvider clock)
    {
        var table = ProcessTable.Parse(context.Text("ps_args"));
        var container = Running(runtime, context);
        var pids = await runtime.ProcessesAsync(container.Id, context.RequestAborted);
        await context.WriteJsonAsync(table.Read(pids, clock), ContainerJson.Default.TopAnswer);
    }

    private static ContainerSnapshot Running(IContainerRuntime runtime, HttpContext context)
    {
        var container = runtime.Find(context.Reference());
        return container.IsRunning()
            ? container
            : throw new ClusterException(ErrorKind.Conflict, $"container {container.Id} is not running");
    }
}
