using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Http.Services;
using Skep.Daemon.Http.Swarm;
using Skep.EngineApi.Tasks;
using Skep.Manager.Control;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Daemon.Http.Tasks;

internal static class TaskEndpoints
{
    public static void MapTasks(this IEndpointRouteBuilder routes, ManagerAccess manager)
    {
        routes.MapGet("/tasks", (RequestDelegate)(context => ListAsync(context, manager.Require().View)));
        routes.MapGet("/tasks/{name}", (RequestDelegate)(context =>
        {
            var view = manager.Require().View;
            return context.WriteJsonAsync(Shape(view, Lookup.Task(view, context.Segment("name"))), TaskJson.Default.TaskInspect);
        }));
        routes.MapGet("/tasks/{name}/logs", (RequestDelegate)(context =>
        {
            var part = manager.RequirePart();
            return ServiceLogsEndpoint.WriteAsync(context, part, serviceId: null, Lookup.Task(part.Store.Current, context.Segment("name")).Id);
        }));
    }

    private static Task ListAsync(HttpContext context, StoreView view)
    {
        var filters = Filters.Of(context, "id", "name", "label", "service", "node", "desired-state", "_up-to-date", "runtime");
        var states = filters["desired-state"].Select(StateNamed).ToHashSet();
        var services = filters["service"].Select(s => Lookup.Service(view, s).Id).ToHashSet(StringComparer.Ordinal);
        var nodes = filters["node"].Select(n => Lookup.Node(view, n).Id).ToHashSet(StringComparer.Ordinal);
        var upToDate = filters.Has("_up-to-date") ? new UpToDateTasks(view) : null;
        var candidates = services.Count > 0 ? services.SelectMany(view.TasksOfService)
            : nodes.Count > 0 ? nodes.SelectMany(view.TasksOnNode)
            : view.Tasks.Values;
        IReadOnlyList<TaskInspect> tasks =
        [
            .. candidates.Where(t => nodes.Count == 0 || nodes.Contains(t.NodeId))
                .Where(t => states.Count == 0 || states.Contains(t.DesiredState))
                .Where(t => Matches(t, filters) && upToDate?.Contains(t) != false)
                .OrderBy(t => t.CreatedAt).ThenBy(t => t.Id, StringComparer.Ordinal)
                .Select(t => Shape(view, t)),
        ];
        return context.WriteJsonAsync(tasks, TaskJson.Default.IReadOnlyListTaskInspect);
    }

    private static bool Matches(SwarmTask task, Filters filters) =>
        filters.Any("id", id => task.Id.StartsWith(id, StringComparison.Ordinal))
        && filters.Any("name", name => task.Name.StartsWith(name, StringComparison.Ordinal))
        && filters.Labels("label", task.ServiceLabels)
        && (filters.Has("runtime") ? filters.Any("runtime", r => r == RuntimeOf(task)) : RuntimeOf(task) == "container");

    private static string RuntimeOf(SwarmTask task) =>
        string.IsNullOrEmpty(task.Spec.Runtime) ? task.Spec.NetworkAttachmentSpec is null ? "container" : "attachment" : task.Spec.Runtime;

    private static TaskState StateNamed(string text) => Enum.TryParse<TaskState>(text, ignoreCase: true, out var state) && !int.TryParse(text, out _)
        ? state
        : throw ClusterException.Invalid($"invalid filter 'desired-state={text}'");

    private static TaskInspect Shape(StoreView view, SwarmTask task) => TaskInspect.Of(task, id => view.Networks.GetValueOrDefault(id));
}
