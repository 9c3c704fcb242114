using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.EngineApi.Services;

/// <summary>GET /services/{ref}. Credentials for registries are never in it.</summary>
public sealed record ServiceInspect(string ID, ObjectVersion Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, ServiceSpec Spec)
{
    public ServiceSpec? PreviousSpec { get; init; }
    public required EndpointShape Endpoint { get; init; }
    public UpdateStatusShape? UpdateStatus { get; init; }

    /// <summary>Only in lists that were asked for with status=true.</summary>
    public ServiceStatusShape? ServiceStatus { get; init; }

    /// <summary>
    /// Beside Docker's own members: the receipts of the tasks that were drained and are still in the history, the latest first. Not in lists;
    /// absent while there are none.
    /// </summary>
    public IReadOnlyList<ServiceDrain>? Drains { get; init; }

    /// <summary>The same with the receipts. What became of an update says how many it has, since the docker command line shows no member that it does not know.</summary>
    public ServiceInspect With(IReadOnlyList<ServiceDrain>? drains) => this with
    {
        Drains = drains,
        UpdateStatus = UpdateStatus is { } update && ServiceDrain.Summary(drains?.Where(drain => drain.Timestamp >= update.StartedAt) ?? []) is { } summary
            ? update with { Message = $"{update.Message}; {summary}" }
            : UpdateStatus,
    };

    public static ServiceInspect Of(SwarmService service) =>
        new(service.Id, ObjectVersion.Of(service), service.CreatedAt, service.UpdatedAt, Shown(service.Spec))
        {
            PreviousSpec = service.PreviousSpec is { } previous ? Shown(previous) : null,
            Endpoint = EndpointShape.Of(service.Endpoint),
            UpdateStatus = service.UpdateStatus is { } update
                ? new UpdateStatusShape(update.State, update.StartedAt, update.CompletedAt, update.Message)
                : null,
        };

    private static ServiceSpec Shown(ServiceSpec spec) => spec with { TaskTemplate = Shown(spec.TaskTemplate) };

    internal static TaskSpec Shown(TaskSpec spec) => spec.ContainerSpec?.PullOptions is null
        ? spec
        : spec with { ContainerSpec = spec.ContainerSpec with { PullOptions = null } };
}

/// <summary>What was allocated; Ports and VirtualIPs are absent while there are none.</summary>
public sealed record EndpointShape(EndpointSpec Spec)
{
    public IReadOnlyList<PortConfig>? Ports { get; init; }
    public IReadOnlyList<VirtualIp>? VirtualIPs { get; init; }

    public static EndpointShape Of(ServiceEndpoint? endpoint) => endpoint is null
        ? new EndpointShape(new EndpointSpec())
        : new EndpointShape(endpoint.Spec)
        {
            Ports = endpoint.Ports.Count > 0 ? endpoint.Ports : null,
            VirtualIPs = endpoint.VirtualIPs.Count > 0 ? endpoint.VirtualIPs : null,
        };
}

public sealed record UpdateStatusShape(UpdateState State, DateTimeOffset? StartedAt, DateTimeOffset? CompletedAt, string Message);

/// <summary>Whose receipt it is, and when and where the task ended.</summary>
public sealed record ServiceDrain(string Task, string Node, DateTimeOffset Timestamp, TaskDrain Drain)
{
    /// <param name="tasks">The service's.</param>
    /// <param name="hostname">Of a node's id.</param>
    public static IReadOnlyList<ServiceDrain>? Of(IEnumerable<SwarmTask> tasks, Func<string, string> hostname)
    {
        List<ServiceDrain> drains =
        [
            .. tasks.Where(task => task.Status.Drain is not null).OrderByDescending(task => task.Status.Timestamp).ThenBy(task => task.Id, StringComparer.Ordinal)
                .Select(task => new ServiceDrain(task.Name, hostname(task.NodeId), task.Status.Timestamp, task.Status.Drain!)),
        ];
        return drains.Count > 0 ? drains : null;
    }

    /// <summary>3 tasks drained, 2 of them confirmed by all nodes, 1 flow cut.</summary>
    public static string? Summary(IEnumerable<ServiceDrain> drains)
    {
        List<TaskDrain> receipts = [.. drains.Select(drain => drain.Drain)];
        var (whole, cut) = (receipts.Count(receipt => receipt is { Revision: > 0, Unconfirmed.Count: 0 }), receipts.Sum(receipt => receipt.FlowsLeft));
        var confirmed = whole == receipts.Count ? "confirmed by all nodes" : $"{whole} of them confirmed by all nodes";
        return receipts.Count == 0
            ? null
            : $"{receipts.Count} {(receipts.Count == 1 ? "task" : "tasks")} drained, {confirmed}{(cut == 0 ? "" : $", {cut} {(cut == 1 ? "flow" : "flows")} cut")}";
    }
}

public sealed record ServiceStatusShape(ulong RunningTasks, ulong DesiredTasks, ulong CompletedTasks);

/// <summary>POST /services/create.</summary>
public sealed record ServiceCreateAnswer(string ID, IReadOnlyList<string>? Warnings);

/// <summary>POST /services/{ref}/update.</summary>
public sealed record ServiceUpdateAnswer(IReadOnlyList<string>? Warnings);
