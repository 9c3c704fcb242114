using System.Text.Json.Serialization;
using Skep.EngineApi.Json;
using Skep.EngineApi.Services;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.EngineApi.Tasks;

/// <summary>GET /tasks/{id}. Slot and NodeID are absent while they are not known.</summary>
public sealed record TaskInspect(string ID, ObjectVersion Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public required IReadOnlyDictionary<string, string> Labels { get; init; }
    public required TaskSpec Spec { get; init; }
    public string? ServiceID { get; init; }
    public ulong? Slot { get; init; }
    public string? NodeID { get; init; }
    public required TaskStatusShape Status { get; init; }
    public TaskState DesiredState { get; init; }
    public IReadOnlyList<NetworkAttachmentShape>? NetworksAttachments { get; init; }

    /// <param name="task">The task.</param>
    /// <param name="network">The network of an id; a network that is gone is left out.</param>
    public static TaskInspect Of(SwarmTask task, Func<string, SwarmNetwork?> network) =>
        new(task.Id, ObjectVersion.Of(task), task.CreatedAt, task.UpdatedAt)
        {
            Labels = new Dictionary<string, string>(),
            Spec = ServiceInspect.Shown(task.Spec),
            ServiceID = NullIfEmpty(task.ServiceId),
            Slot = task.Slot == 0 ? null : task.Slot,
            NodeID = NullIfEmpty(task.NodeId),
            Status = TaskStatusShape.Of(task.Status),
            DesiredState = task.DesiredState,
            NetworksAttachments = task.Attachments.Count == 0 ? null : [.. Attachments(task, network)],
        };

    private static IEnumerable<NetworkAttachmentShape> Attachments(SwarmTask task, Func<string, SwarmNetwork?> network) =>
        from attachment in task.Attachments
        let known = network(attachment.NetworkId)
        where known is not null
        select new NetworkAttachmentShape(ClusterNetworkShape.Of(known), attachment.Addresses);

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}

public sealed record TaskStatusShape(DateTimeOffset Timestamp, TaskState State, string? Message, string? Err)
{
    public ContainerStatusShape? ContainerStatus { get; init; }
    public required PortStatusShape PortStatus { get; init; }

    /// <summary>Not Docker's: true while the task runs, is unhealthy and gets no new flows.</summary>
    public bool? Unhealthy { get; init; }

    /// <summary>Not Docker's: who had confirmed that it sends nothing new when the task was told to stop.</summary>
    public TaskDrain? Drain { get; init; }

    public static TaskStatusShape Of(SwarmTaskStatus status) =>
        new(status.Timestamp, status.State, status.Message.Length == 0 ? null : status.Message, string.IsNullOrEmpty(status.Err) ? null : status.Err)
        {
            ContainerStatus = status.Container is { } container
                ? new ContainerStatusShape(container.ContainerId, container.Pid, container.ExitCode)
                : null,
            PortStatus = new PortStatusShape(status.HostPorts is { Count: > 0 } ports ? ports : null),
            Unhealthy = status.Unhealthy,
            Drain = status.Drain,
        };
}

public sealed record ContainerStatusShape(string ContainerID, int PID, int ExitCode);

/// <summary>Host-mode ports as the node gave them.</summary>
public sealed record PortStatusShape(IReadOnlyList<PortConfig>? Ports);

public sealed record NetworkAttachmentShape(ClusterNetworkShape Network, IReadOnlyList<string> Addresses);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(TaskInspect))]
[JsonSerializable(typeof(IReadOnlyList<TaskInspect>))]
public sealed partial class TaskJson : JsonSerializerContext;
