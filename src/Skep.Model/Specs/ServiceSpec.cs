namespace Skep.Model.Specs;

/// <summary>
/// What a user wants of a service. Shape and names are those of the Engine API (1.50); what the user left out stays null,
/// so that the stored wish reads back as it was sent. Durations are nanoseconds.
/// </summary>
public sealed record ServiceSpec
{
    public string Name { get; init; } = "";
    public IReadOnlyDictionary<string, string> Labels { get; init; } = EmptyMap.Strings;
    public TaskSpec TaskTemplate { get; init; } = new();
    public ServiceMode Mode { get; init; } = new();
    public UpdateConfig? UpdateConfig { get; init; }
    public UpdateConfig? RollbackConfig { get; init; }

    /// <summary>The deprecated place for networks; <see cref="TaskSpec.Networks"/> wins.</summary>
    public IReadOnlyList<NetworkAttachmentConfig>? Networks { get; init; }

    public EndpointSpec? EndpointSpec { get; init; }
}

/// <summary>Exactly one of the four is set; none means one replica.</summary>
public sealed record ServiceMode
{
    public ReplicatedMode? Replicated { get; init; }
    public GlobalMode? Global { get; init; }
    public ReplicatedJobMode? ReplicatedJob { get; init; }
    public GlobalMode? GlobalJob { get; init; }
}

public sealed record ReplicatedMode
{
    public ulong? Replicas { get; init; }
}

public sealed record GlobalMode;

public sealed record ReplicatedJobMode
{
    public ulong? MaxConcurrent { get; init; }
    public ulong? TotalCompletions { get; init; }
}

public sealed record UpdateConfig
{
    /// <summary>Slots that are replaced at once; 0 = all.</summary>
    public ulong Parallelism { get; init; }

    public long? Delay { get; init; }

    /// <summary>pause (the default), continue or rollback.</summary>
    public string? FailureAction { get; init; }

    public long? Monitor { get; init; }
    public float MaxFailureRatio { get; init; }

    /// <summary>stop-first (the default, also when empty) or start-first.</summary>
    public string Order { get; init; } = "";
}
