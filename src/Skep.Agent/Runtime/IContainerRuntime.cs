using Skep.Agent.Logs;

namespace Skep.Agent.Runtime;

/// <summary>
/// Containers on this node, whoever made them. They outlive the daemon: after a restart <see cref="Containers"/> has them again,
/// the running ones with their output flowing into their logs. References are ids, unique id prefixes or names; an unknown
/// one is ClusterException NotFound <c>No such container: x</c>.
/// </summary>
public interface IContainerRuntime
{
    /// <summary>Every container that exists, in any state.</summary>
    IReadOnlyCollection<ContainerSnapshot> Containers { get; }

    /// <summary>What happens to containers from now on: create, start, die, health_status, oom, destroy, exec_…</summary>
    IAsyncEnumerable<ContainerEvent> FollowAsync(CancellationToken cancellationToken);

    ContainerSnapshot Find(string reference);

    /// <summary>Makes the container (snapshot, bundle, log file) without starting it. The image must be there. An equal id that exists is returned as it is.</summary>
    Task<ContainerSnapshot> CreateAsync(ContainerRecipe recipe, CancellationToken cancellationToken);

    /// <summary>Starts it; already running is no error. A command that cannot be run is FailedPrecondition with the runtime's words.</summary>
    Task<ContainerSnapshot> StartAsync(string id, CancellationToken cancellationToken);

    /// <summary>Waits until it does not run and returns how it ended.</summary>
    Task<ContainerSnapshot> WaitAsync(string id, CancellationToken cancellationToken);

    /// <summary>Stop signal, then SIGKILL when <paramref name="grace"/> is over; returns when it has ended. Null: the recipe's own.</summary>
    Task StopAsync(string id, string? signal, TimeSpan? grace, CancellationToken cancellationToken);

    /// <summary>Signal is a name (SIGTERM, TERM) or a number.</summary>
    Task KillAsync(string id, string signal, CancellationToken cancellationToken);

    /// <summary>Removes it with its snapshot, log and anonymous volumes; a running one only when <paramref name="force"/>. Unknown is no error.</summary>
    Task RemoveAsync(string id, bool force, CancellationToken cancellationToken);

    Task ResizeAsync(string id, uint width, uint height, CancellationToken cancellationToken);

    /// <summary>Process ids of the container in the host's numbering.</summary>
    Task<IReadOnlyList<int>> ProcessesAsync(string id, CancellationToken cancellationToken);

    /// <summary>Registers a command to be run inside; it starts with <see cref="IExec.StartAsync"/>.</summary>
    IExec CreateExec(string id, ExecRecipe recipe);

    /// <summary>An exec by its id (64 hexadecimal digits); unknown is NotFound <c>No such exec instance: x</c>.</summary>
    IExec FindExec(string execId);

    /// <summary>The container's log. Unreadable for drivers that keep nothing.</summary>
    IContainerLog Log(string id);
}

/// <summary>A container at one moment; a value.</summary>
public sealed record ContainerSnapshot(ContainerRecipe Recipe)
{
    public ContainerState State { get; init; }
    public int Pid { get; init; }
    public int ExitCode { get; init; }
    public string Error { get; init; } = "";
    public bool OomKilled { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public ContainerHealth? Health { get; init; }

    /// <summary>The image's id: sha256: and the digest of its configuration.</summary>
    public string ImageId { get; init; } = "";

    /// <summary>The command as it runs: path first, then its arguments.</summary>
    public IReadOnlyList<string> CommandLine { get; init; } = [];

    /// <summary>Environment, user, working directory and labels as they came out of image and recipe together.</summary>
    public EffectiveConfig Config { get; init; } = new();

    public string LogPath { get; init; } = "";
    public string Id => Recipe.Id;
}

public enum ContainerState
{
    Created,
    Running,
    Paused,
    Exited,
    Dead,
}

public sealed record EffectiveConfig
{
    public IReadOnlyList<string> Env { get; init; } = [];
    public IReadOnlyList<string>? Entrypoint { get; init; }
    public IReadOnlyList<string>? Command { get; init; }
    public string User { get; init; } = "";
    public string WorkingDir { get; init; } = "";
    public string Hostname { get; init; } = "";
    public string StopSignal { get; init; } = "";
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> ExposedPorts { get; init; } = [];
    public Model.Specs.HealthConfig? Healthcheck { get; init; }
}

/// <summary>Status is starting, healthy or unhealthy.</summary>
public sealed record ContainerHealth(string Status, int FailingStreak, IReadOnlyList<HealthProbe> Log);

public sealed record HealthProbe(DateTimeOffset Start, DateTimeOffset End, int ExitCode, string Output);

/// <summary>Action is Docker's word for it; attributes are those of the events stream.</summary>
public sealed record ContainerEvent(string ContainerId, string Action, DateTimeOffset At, IReadOnlyDictionary<string, string> Attributes);
