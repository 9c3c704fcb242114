namespace Skep.Model.Specs;

public sealed record ResourceRequirements
{
    public ResourceLimits? Limits { get; init; }
    public ResourceAmounts? Reservations { get; init; }
}

public sealed record ResourceLimits
{
    /// <summary>Billionths of a processor.</summary>
    public long? NanoCPUs { get; init; }

    public long? MemoryBytes { get; init; }
    public long? Pids { get; init; }
}

/// <summary>What a node has, or a task reserves.</summary>
public sealed record ResourceAmounts
{
    /// <summary>Billionths of a processor.</summary>
    public long? NanoCPUs { get; init; }

    public long? MemoryBytes { get; init; }
    public IReadOnlyList<GenericResource>? GenericResources { get; init; }
}

public sealed record GenericResource
{
    public NamedGenericResource? NamedResourceSpec { get; init; }
    public DiscreteGenericResource? DiscreteResourceSpec { get; init; }
}

public sealed record NamedGenericResource
{
    public string Kind { get; init; } = "";
    public string Value { get; init; } = "";
}

public sealed record DiscreteGenericResource
{
    public string Kind { get; init; } = "";
    public long Value { get; init; }
}
