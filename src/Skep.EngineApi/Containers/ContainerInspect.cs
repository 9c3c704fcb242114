using System.Text.Json.Serialization;
using Skep.Model.Specs;

namespace Skep.EngineApi.Containers;

/// <summary>GET /containers/{ref}/json.</summary>
public sealed record ContainerInspect(string Id, DateTimeOffset Created, string Path, IReadOnlyList<string> Args)
{
    public required ContainerStateShape State { get; init; }

    /// <summary>The image's id.</summary>
    public required string Image { get; init; }

    public string ResolvConfPath { get; init; } = "";
    public string HostnamePath { get; init; } = "";
    public string HostsPath { get; init; } = "";
    public string LogPath { get; init; } = "";
    public required string Name { get; init; }
    public int RestartCount { get; init; }
    public required string Driver { get; init; }
    public string Platform { get; init; } = "linux";
    public string MountLabel { get; init; } = "";
    public string ProcessLabel { get; init; } = "";
    public string AppArmorProfile { get; init; } = "";
    public IReadOnlyList<string>? ExecIDs { get; init; }
    public required HostConfigShape HostConfig { get; init; }
    public IReadOnlyList<MountPoint> Mounts { get; init; } = [];
    public required ContainerConfigShape Config { get; init; }
    public required NetworkSettingsShape NetworkSettings { get; init; }
}

public sealed record ContainerStateShape(string Status, int Pid, int ExitCode, string Error)
{
    public bool Running { get; init; }
    public bool Paused { get; init; }
    public bool Restarting { get; init; }
    public bool OOMKilled { get; init; }
    public bool Dead { get; init; }

    /// <summary>Year 1 while it has not started.</summary>
    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset FinishedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HealthShape? Health { get; init; }
}

public sealed record HealthShape(string Status, int FailingStreak, IReadOnlyList<HealthProbeShape> Log);

public sealed record HealthProbeShape(DateTimeOffset Start, DateTimeOffset End, int ExitCode, string Output);

public sealed record ContainerConfigShape
{
    public string Hostname { get; init; } = "";
    public string Domainname { get; init; } = "";
    public string User { get; init; } = "";
    public bool AttachStdin { get; init; }
    public bool AttachStdout { get; init; }
    public bool AttachStderr { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, EmptyObject>? ExposedPorts { get; init; }

    public bool Tty { get; init; }
    public bool OpenStdin { get; init; }
    public bool StdinOnce { get; init; }
    public IReadOnlyList<string>? Env { get; init; }
    public IReadOnlyList<string>? Cmd { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HealthConfig? Healthcheck { get; init; }

    public string Image { get; init; } = "";
    public IReadOnlyDictionary<string, EmptyObject>? Volumes { get; init; }
    public string WorkingDir { get; init; } = "";
    public IReadOnlyList<string>? Entrypoint { get; init; }
    public IReadOnlyList<string>? OnBuild { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? StopSignal { get; init; }
}

/// <summary>What was asked of the machine. Fields that Skep has no use for are left out; clients read them as zero.</summary>
public sealed record HostConfigShape
{
    public IReadOnlyList<string>? Binds { get; init; }
    public required LogConfigShape LogConfig { get; init; }
    public string NetworkMode { get; init; } = "default";
    public IReadOnlyDictionary<string, IReadOnlyList<PortBinding>?> PortBindings { get; init; } = new Dictionary<string, IReadOnlyList<PortBinding>?>();
    public RestartPolicyShape RestartPolicy { get; init; } = new("", 0);
    public bool AutoRemove { get; init; }
    public IReadOnlyList<string>? CapAdd { get; init; }
    public IReadOnlyList<string>? CapDrop { get; init; }
    public string CgroupnsMode { get; init; } = "private";
    public IReadOnlyList<string>? ExtraHosts { get; init; }
    public IReadOnlyList<string>? GroupAdd { get; init; }
    public string IpcMode { get; init; } = "private";
    public long OomScoreAdj { get; init; }
    public string PidMode { get; init; } = "";
    public bool Privileged { get; init; }
    public bool PublishAllPorts { get; init; }
    public bool ReadonlyRootfs { get; init; }
    public IReadOnlyList<string>? SecurityOpt { get; init; }
    public long ShmSize { get; init; }
    public IReadOnlyDictionary<string, string>? Sysctls { get; init; }
    public string Runtime { get; init; } = "runc";
    public long Memory { get; init; }
    public long NanoCpus { get; init; }
    public long? PidsLimit { get; init; }
    public IReadOnlyList<Ulimit> Ulimits { get; init; } = [];

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Mount>? Mounts { get; init; }

    public bool Init { get; init; }
}

public sealed record LogConfigShape(string Type, IReadOnlyDictionary<string, string> Config);

public sealed record RestartPolicyShape(string Name, int MaximumRetryCount);

/// <summary>The value of a set's member: {}.</summary>
public sealed record EmptyObject
{
    public static readonly EmptyObject Value = new();
}
