using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Containers;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>
/// Signals, stops, starts and removals. Once begun they go on when the client leaves: half a stop would be worse than the
/// stop that nobody waits for.
/// </summary>
internal static class ContainerChanges
{
    private const string TaskLabel = "com.docker.swarm.task";

    public static void MapContainerChanges(this IEndpointRouteBuilder routes, EngineServices services)
    {
        var runtime = services.Containers;
        routes.MapPost("/containers/{name}/kill", (RequestDelegate)(context => KillAsync(context, runtime)));
        routes.MapPost("/containers/{name}/stop", (RequestDelegate)(context => StopAsync(context, runtime)));
        routes.MapPost("/containers/{name}/start", (RequestDelegate)(context => StartAsync(context, runtime)));
        routes.MapPost("/containers/{name}/restart", (RequestDelegate)(context => RestartAsync(context, runtime)));
        routes.MapDelete("/containers/{name}", (RequestDelegate)(context => RemoveAsync(context, runtime)));
        routes.MapPost("/containers/prune", (RequestDelegate)(context => PruneAsync(context, runtime, services.Clock)));
    }

    public static bool IsTask(this ContainerSnapshot container) => container.Recipe.Labels.ContainsKey(TaskLabel);

    private static async Task KillAsync(HttpContext context, IContainerRuntime runtime)
    {
        var reference = context.Reference();
        try
        {
            var container = runtime.Find(reference);
            if (!container.IsRunning())
            {
                throw new ClusterException(ErrorKind.Conflict, $"container {container.Id} is not running");
            }

            await runtime.KillAsync(container.Id, context.Text("signal") is { Length: > 0 } signal ? signal : "SIGKILL", CancellationToken.None);
        }
        catch (ClusterException refusal) when (refusal.Kind is ErrorKind.NotFound or ErrorKind.Conflict)
        {
            throw new ClusterException(refusal.Kind, $"Cannot kill container: {reference}: {refusal.Message}", refusal);
        }

        await context.WriteEmptyAsync(StatusCodes.Status204NoContent);
    }

    private static async Task StopAsync(HttpContext context, IContainerRuntime runtime)
    {
        var grace = Grace(context);
        var container = runtime.Find(context.Reference());
        if (!container.IsRunning())
        {
            await context.WriteEmptyAsync(StatusCodes.Status304NotModified);
            return;
        }

        await runtime.StopAsync(container.Id, context.Text("signal"), grace, CancellationToken.None);
        await context.WriteEmptyAsync(StatusCodes.Status204NoContent);
    }

    private static async Task StartAsync(HttpContext context, IContainerRuntime runtime)
    {
        var container = runtime.Find(context.Reference());
        if (container.IsRunning())
        {
            await context.WriteEmptyAsync(StatusCodes.Status304NotModified);
            return;
        }

        RefuseTask(container);
        await runtime.StartAsync(container.Id, CancellationToken.None);
        await context.WriteEmptyAsync(StatusCodes.Status204NoContent);
    }

    private static async Task RestartAsync(HttpContext context, IContainerRuntime runtime)
    {
        var grace = Grace(context);
        var container = runtime.Find(context.Reference());
        RefuseTask(container);
        await runtime.StopAsync(container.Id, context.Text("signal"), grace, CancellationToken.None);
        await runtime.StartAsync(container.Id, CancellationToken.None);
        await context.WriteEmptyAsync(StatusCodes.Status204NoContent);
    }

    private static async Task RemoveAsync(HttpContext context, IContainerRuntime runtime)
    {
        if (context.Flag("link"))
        {
            throw ClusterException.Invalid("This version has no links between containers.");
        }

        await runtime.RemoveAsync(runtime.Find(context.Reference()).Id, context.Flag("force"), CancellationToken.None);
        await context.WriteEmptyAsync(StatusCodes.Status204NoContent);
    }

    /// <summary>Removes what has ended. A task's container that has not started yet is about to be needed.</summary>
    private static async Task PruneAsync(HttpContext context, IContainerRuntime runtime, TimeProvider clock)
    {
        var filters = Filters.Of(context, "until", "label", "label!");
        var until = filters["until"].Select(text => Timestamps.MomentOrAgo(text, clock)
            ?? throw ClusterException.Invalid($"invalid filter 'until={text}'")).Select(moment => (DateTimeOffset?)moment).Min();
        var removed = new List<string>();
        foreach (var container in runtime.Containers)
        {
            var ended = container.State is ContainerState.Exited or ContainerState.Dead
                || (container.State == ContainerState.Created && !container.IsTask());
            var labels = container.Labels();
            if (ended
                && (until is null || container.CreatedAt < until)
                && filters.Labels("label", labels)
                && !filters["label!"].Any(label => Filters.Holds(label, labels)))
            {
                await runtime.RemoveAsync(container.Id, force: false, context.RequestAborted);
                removed.Add(container.Id);
            }
        }

        await context.WriteJsonAsync(new ContainerPruneAnswer(removed.Count == 0 ? null : removed, 0), ContainerJson.Default.ContainerPruneAnswer);
    }

    /// <summary>A task runs once. Started again behind the back of the swarm it would run beside the one that has replaced it.</summary>
    private static void RefuseTask(ContainerSnapshot container)
    {
        if (container.IsTask())
        {
            throw new ClusterException(
                ErrorKind.Conflict,
                $"container {container.Id} belongs to a task of the swarm, which is never started twice; use \"docker service update --force\"");
        }
    }

    /// <summary>Null: the container's own. Below 0: for ever.</summary>
    private static TimeSpan? Grace(HttpContext context) => context.Number("t") switch
    {
        null => null,
        < 0 => Timeout.InfiniteTimeSpan,
        var seconds => TimeSpan.FromSeconds(Math.Min((long)seconds, int.MaxValue / 1000)),
    };
}
