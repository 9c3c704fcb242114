namespace Skep.Manager.Leadership;

/// <summary>Who stands for election, and how long a silent leader keeps its office.</summary>
public sealed record LeadershipOptions
{
    public required string NodeId { get; init; }

    /// <summary>The lease's life without a keep-alive, in whole seconds. etcd rounds less than its election time-out up.</summary>
    public int LeaseSeconds { get; init; } = 3;
}
