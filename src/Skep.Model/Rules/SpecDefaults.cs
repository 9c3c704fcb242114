using Skep.Model.Specs;

namespace Skep.Model.Rules;

/// <summary>What holds where a specification is silent. Shown by <c>insertDefaults=true</c>; never stored.</summary>
public static class SpecDefaults
{
    public const long StopGracePeriod = 10_000_000_000;
    public const long RestartDelay = 5_000_000_000;
    public const long UpdateMonitor = 5_000_000_000;

    public const long HeartbeatPeriod = 5_000_000_000;
    public const long NodeCertExpiry = 7_776_000_000_000_000;

    public static ServiceSpec Fill(ServiceSpec spec) => spec with
    {
        TaskTemplate = Fill(spec.TaskTemplate),
        UpdateConfig = Fill(spec.UpdateConfig),
        RollbackConfig = Fill(spec.RollbackConfig),
        EndpointSpec = spec.EndpointSpec is { Mode.Length: > 0 } ? spec.EndpointSpec : (spec.EndpointSpec ?? new EndpointSpec()) with { Mode = EndpointSpec.Vip },
    };

    public static ClusterSpec Fill(ClusterSpec spec) => spec with
    {
        Orchestration = spec.Orchestration with { TaskHistoryRetentionLimit = spec.Orchestration.TaskHistoryRetentionLimit ?? 5 },
        Raft = new RaftConfig
        {
            SnapshotInterval = spec.Raft.SnapshotInterval ?? 10_000,
            KeepOldSnapshots = spec.Raft.KeepOldSnapshots ?? 0,
            LogEntriesForSlowFollowers = spec.Raft.LogEntriesForSlowFollowers ?? 500,
            ElectionTick = spec.Raft.ElectionTick == 0 ? 10 : spec.Raft.ElectionTick,
            HeartbeatTick = spec.Raft.HeartbeatTick == 0 ? 1 : spec.Raft.HeartbeatTick,
        },
        Dispatcher = spec.Dispatcher with { HeartbeatPeriod = spec.Dispatcher.HeartbeatPeriod ?? HeartbeatPeriod },
        CAConfig = spec.CAConfig with { NodeCertExpiry = spec.CAConfig.NodeCertExpiry ?? NodeCertExpiry },
    };

    private static TaskSpec Fill(TaskSpec spec) => spec with
    {
        ContainerSpec = spec.ContainerSpec is { } container
            ? container with { StopGracePeriod = container.StopGracePeriod ?? StopGracePeriod, DNSConfig = container.DNSConfig ?? new DnsConfig() }
            : null,
        Resources = new ResourceRequirements
        {
            Limits = spec.Resources?.Limits ?? new ResourceLimits(),
            Reservations = spec.Resources?.Reservations ?? new ResourceAmounts(),
        },
        RestartPolicy = new RestartPolicy
        {
            Condition = spec.RestartPolicy?.Condition is { Length: > 0 } condition ? condition : "any",
            Delay = spec.RestartPolicy?.Delay ?? RestartDelay,
            MaxAttempts = spec.RestartPolicy?.MaxAttempts ?? 0,
            Window = spec.RestartPolicy?.Window,
        },
        Placement = spec.Placement ?? new Placement(),
    };

    private static UpdateConfig Fill(UpdateConfig? config)
    {
        config ??= new UpdateConfig { Parallelism = 1 };
        return config with
        {
            FailureAction = string.IsNullOrEmpty(config.FailureAction) ? "pause" : config.FailureAction,
            Monitor = config.Monitor ?? UpdateMonitor,
            Order = config.Order.Length == 0 ? "stop-first" : config.Order,
        };
    }
}
