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

public sealed record ServiceStatusShape(ulong RunningTasks, ulong DesiredTasks, ulong CompletedTasks);

/// <summary>POST /services/create.</summary>
public sealed record ServiceCreateAnswer(string ID, IReadOnlyList<string>? Warnings);

/// <summary>POST /services/{ref}/update.</summary>
public sealed record ServiceUpdateAnswer(IReadOnlyList<string>? Warnings);
