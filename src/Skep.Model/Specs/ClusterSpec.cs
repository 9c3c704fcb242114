namespace Skep.Model.Specs;

/// <summary>The settings of the whole swarm.</summary>
public sealed record ClusterSpec
{
    public string Name { get; init; } = "default";
    public IReadOnlyDictionary<string, string> Labels { get; init; } = EmptyMap.Strings;
    public OrchestrationConfig Orchestration { get; init; } = new();
    public RaftConfig Raft { get; init; } = new();
    public DispatcherConfig Dispatcher { get; init; } = new();
    public CaConfig CAConfig { get; init; } = new();
    public TaskDefaults TaskDefaults { get; init; } = new();
    public EncryptionConfig EncryptionConfig { get; init; } = new();
}

public sealed record OrchestrationConfig
{
    /// <summary>Finished tasks that are kept per slot; null = 5; negative = all.</summary>
    public long? TaskHistoryRetentionLimit { get; init; }
}

/// <summary>Shown for clients that read it; etcd keeps its own timing.</summary>
public sealed record RaftConfig
{
    public ulong? SnapshotInterval { get; init; }
    public ulong? KeepOldSnapshots { get; init; }
    public ulong? LogEntriesForSlowFollowers { get; init; }
    public int ElectionTick { get; init; }
    public int HeartbeatTick { get; init; }
}

public sealed record DispatcherConfig
{
    /// <summary>Nanoseconds between two heartbeats of an agent; null = 5 s.</summary>
    public long? HeartbeatPeriod { get; init; }
}

public sealed record CaConfig
{
    /// <summary>Nanoseconds that a node's certificate is valid; null = 90 days.</summary>
    public long? NodeCertExpiry { get; init; }

    public string? SigningCACert { get; init; }
    public string? SigningCAKey { get; init; }
    public ulong? ForceRotate { get; init; }
}

public sealed record TaskDefaults
{
    public Driver? LogDriver { get; init; }
}

public sealed record EncryptionConfig
{
    public bool AutoLockManagers { get; init; }
}
