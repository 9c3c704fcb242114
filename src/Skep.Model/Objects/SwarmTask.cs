using System.Text.Json.Serialization;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Model.Objects;

/// <summary>One run of a container on one node. A task is never started twice; its slot gets a new task instead.</summary>
public sealed record SwarmTask : SwarmObject
{
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.Task;
    public TaskSpec Spec { get; init; } = new();

    /// <summary>Empty for a container that somebody attached to a network by hand.</summary>
    public string ServiceId { get; init; } = "";

    public string ServiceName { get; init; } = "";
    public IReadOnlyDictionary<string, string>? ServiceLabels { get; init; }

    /// <summary>1, 2, … in a replicated service; 0 in a global one.</summary>
    public ulong Slot { get; init; }

    /// <summary>Empty until the scheduler has chosen (global: set from the start).</summary>
    public string NodeId { get; init; } = "";

    public ulong SpecVersion { get; init; }
    public SwarmTaskStatus Status { get; init; } = new();
    public TaskState DesiredState { get; init; } = TaskState.Running;

    /// <summary>A restarted task is asked to run no sooner than this; null = no delay. Stored, so that a new leader keeps the promise.</summary>
    public DateTimeOffset? StartAfter { get; init; }

    public IReadOnlyList<TaskAttachment> Attachments { get; init; } = [];

    /// <summary>The service's endpoint as it was when this task was made: mode and ports.</summary>
    public EndpointSpec? Endpoint { get; init; }

    public Driver? LogDriver { get; init; }

    /// <summary>service.slot.id, or service.node.id for a global service.</summary>
    [JsonIgnore]
    public string Name => Slot != 0 ? $"{ServiceName}.{Slot}.{Id}" : $"{ServiceName}.{NodeId}.{Id}";
}

/// <summary>A task's place on a network: prefixes such as 10.0.1.5/24, and the names it has there besides its own.</summary>
public sealed record TaskAttachment(string NetworkId, IReadOnlyList<string> Addresses)
{
    public IReadOnlyList<string>? Aliases { get; init; }
}

public sealed record SwarmTaskStatus
{
    public DateTimeOffset Timestamp { get; init; }
    public TaskState State { get; init; }
    public string Message { get; init; } = "";
    public string? Err { get; init; }
    public TaskContainerStatus? Container { get; init; }

    /// <summary>Host-mode ports with the numbers that the node gave them.</summary>
    public IReadOnlyList<PortConfig>? HostPorts { get; init; }

    /// <summary>True: it runs and its health check says that it does not serve; it gets no new flows. Null otherwise.</summary>
    public bool? Unhealthy { get; init; }

    /// <summary>How it was taken out of balancing before it was stopped; null when there was nothing to take out.</summary>
    public TaskDrain? Drain { get; init; }

    /// <summary>When the managers stored this status; restart windows are counted with it.</summary>
    public DateTimeOffset? AppliedAt { get; init; }
}

public sealed record TaskContainerStatus
{
    public string ContainerId { get; init; } = "";
    public int Pid { get; init; }
    public int ExitCode { get; init; }
}
