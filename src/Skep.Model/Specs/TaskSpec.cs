namespace Skep.Model.Specs;

/// <summary>The template from which a service's tasks are made.</summary>
public sealed record TaskSpec
{
    public ContainerSpec? ContainerSpec { get; init; }
    public NetworkAttachmentSpec? NetworkAttachmentSpec { get; init; }
    public ResourceRequirements? Resources { get; init; }
    public RestartPolicy? RestartPolicy { get; init; }
    public Placement? Placement { get; init; }
    public IReadOnlyList<NetworkAttachmentConfig>? Networks { get; init; }
    public Driver? LogDriver { get; init; }

    /// <summary>A number that a user raises to have every task replaced.</summary>
    public ulong ForceUpdate { get; init; }

    /// <summary>container (the default), plugin or attachment.</summary>
    public string? Runtime { get; init; }
}

public sealed record NetworkAttachmentSpec
{
    public string ContainerID { get; init; } = "";
}

/// <summary>A network that a task joins. Target is the network's id once the request was accepted.</summary>
public sealed record NetworkAttachmentConfig
{
    public string Target { get; init; } = "";
    public IReadOnlyList<string>? Aliases { get; init; }
    public IReadOnlyDictionary<string, string>? DriverOpts { get; init; }
}

public sealed record Driver
{
    public string? Name { get; init; }
    public IReadOnlyDictionary<string, string>? Options { get; init; }
}

public sealed record RestartPolicy
{
    /// <summary>any (the default), on-failure or none.</summary>
    public string? Condition { get; init; }

    public long? Delay { get; init; }
    public ulong? MaxAttempts { get; init; }
    public long? Window { get; init; }
}

public sealed record Placement
{
    public IReadOnlyList<string>? Constraints { get; init; }
    public IReadOnlyList<PlacementPreference>? Preferences { get; init; }

    /// <summary>The most tasks of the service on one node; 0 = no limit.</summary>
    public ulong? MaxReplicas { get; init; }

    public IReadOnlyList<Platform>? Platforms { get; init; }
}

public sealed record PlacementPreference
{
    public SpreadOver? Spread { get; init; }
}

public sealed record SpreadOver
{
    public string SpreadDescriptor { get; init; } = "";
}

public sealed record Platform
{
    public string? Architecture { get; init; }
    public string? OS { get; init; }
}
