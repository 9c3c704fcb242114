using Skep.Model.Specs;

namespace Skep.Model.Rules;

/// <summary>
/// Specifications as they come out of JSON, made whole: what a client left out or sent as null is what the model says it is. The user's
/// wish stays as it was sent; defaults are for <see cref="SpecDefaults"/>.
/// </summary>
public static class SpecCompletion
{
    public static ServiceSpec Complete(ServiceSpec spec) => spec with
    {
        Name = spec.Name ?? "",
        Labels = spec.Labels ?? EmptyMap.Strings,
        TaskTemplate = Complete(spec.TaskTemplate ?? new TaskSpec()),
        Mode = Complete(spec.Mode),
        UpdateConfig = Complete(spec.UpdateConfig),
        RollbackConfig = Complete(spec.RollbackConfig),
        EndpointSpec = Complete(spec.EndpointSpec),
    };

    public static NodeSpec Complete(NodeSpec spec) => spec with
    {
        Labels = spec.Labels ?? EmptyMap.Strings,
        Role = spec.Role ?? "",
        Availability = spec.Availability ?? "",
    };

    public static ClusterSpec Complete(ClusterSpec? spec) => spec is null ? new ClusterSpec() : spec with
    {
        Name = string.IsNullOrEmpty(spec.Name) ? "default" : spec.Name,
        Labels = spec.Labels ?? EmptyMap.Strings,
        Orchestration = spec.Orchestration ?? new OrchestrationConfig(),
        Raft = spec.Raft ?? new RaftConfig(),
        Dispatcher = spec.Dispatcher ?? new DispatcherConfig(),
        CAConfig = spec.CAConfig ?? new CaConfig(),
        TaskDefaults = spec.TaskDefaults ?? new TaskDefaults(),
        EncryptionConfig = spec.EncryptionConfig ?? new EncryptionConfig(),
    };

    private static ServiceMode Complete(ServiceMode? mode) => mode switch
    {
        null or { Replicated: null, Global: null, ReplicatedJob: null, GlobalJob: null } => new ServiceMode { Replicated = new ReplicatedMode { Replicas = 1 } },
        { Replicated.Replicas: null } when mode.Replicated is not null => mode with { Replicated = new ReplicatedMode { Replicas = 1 } },
        _ => mode,
    };

    private static TaskSpec Complete(TaskSpec spec) => spec with
    {
        ContainerSpec = spec.ContainerSpec is { } container ? Complete(container) : null,
        Networks = spec.Networks is { Count: > 0 } networks ? [.. networks.Select(n => n with { Target = n.Target ?? "" })] : null,
    };

    // Credentials come with a header of their own and are never taken from a specification.
    private static ContainerSpec Complete(ContainerSpec spec) => spec with
    {
        PullOptions = null,
        Mounts = spec.Mounts is { Count: > 0 } mounts ? [.. mounts.Select(m => m with { Type = m.Type ?? "", Target = m.Target ?? "" })] : spec.Mounts,
        Ulimits = spec.Ulimits is { Count: > 0 } limits ? [.. limits.Select(l => l with { Name = l.Name ?? "" })] : spec.Ulimits,
    };

    private static UpdateConfig? Complete(UpdateConfig? config) => config is null ? null : config with { Order = config.Order ?? "" };

    private static EndpointSpec? Complete(EndpointSpec? spec) => spec?.Ports is null ? spec : spec with { Ports = [.. spec.Ports.Select(Complete)] };

    private static PortConfig Complete(PortConfig port) => port with
    {
        Protocol = port.Protocol?.ToLowerInvariant() is "udp" or "sctp" ? port.Protocol.ToLowerInvariant() : "tcp",
        PublishMode = port.PublishMode == PortConfig.Host ? PortConfig.Host : PortConfig.Ingress,
        PublishedPort = port.PublishedPort is 0 ? null : port.PublishedPort,
    };
}
