namespace Skep.Model.Specs;

public sealed record ContainerSpec
{
    public string? Image { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Replaces the image's entry point.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Replaces the image's command.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    public string? Hostname { get; init; }
    public IReadOnlyList<string>? Env { get; init; }
    public string? Dir { get; init; }
    public string? User { get; init; }
    public IReadOnlyList<string>? Groups { get; init; }
    public Privileges? Privileges { get; init; }
    public bool? Init { get; init; }
    public string? StopSignal { get; init; }
    public bool? TTY { get; init; }
    public bool? OpenStdin { get; init; }
    public bool? ReadOnly { get; init; }
    public IReadOnlyList<Mount>? Mounts { get; init; }

    /// <summary>Nanoseconds between the stop signal and SIGKILL; null = 10 s.</summary>
    public long? StopGracePeriod { get; init; }

    public HealthConfig? Healthcheck { get; init; }

    /// <summary>Lines of a hosts file: address, then names.</summary>
    public IReadOnlyList<string>? Hosts { get; init; }

    public DnsConfig? DNSConfig { get; init; }
    public IReadOnlyList<SecretReference>? Secrets { get; init; }
    public IReadOnlyList<ConfigReference>? Configs { get; init; }
    public string? Isolation { get; init; }
    public IReadOnlyDictionary<string, string>? Sysctls { get; init; }
    public IReadOnlyList<string>? CapabilityAdd { get; init; }
    public IReadOnlyList<string>? CapabilityDrop { get; init; }
    public IReadOnlyList<Ulimit>? Ulimits { get; init; }
    public long? OomScoreAdj { get; init; }

    /// <summary>How to pull the image. Kept with the specification and never shown by the Engine API.</summary>
    public PullOptions? PullOptions { get; init; }
}

public sealed record PullOptions
{
    /// <summary>The value of the X-Registry-Auth header with which the service was created or updated.</summary>
    public string? RegistryAuth { get; init; }

    /// <summary>Secrets stay out of logs.</summary>
    public override string ToString() => "(hidden)";
}

public sealed record DnsConfig
{
    public IReadOnlyList<string>? Nameservers { get; init; }
    public IReadOnlyList<string>? Search { get; init; }
    public IReadOnlyList<string>? Options { get; init; }
}

public sealed record Ulimit
{
    public string Name { get; init; } = "";
    public long Hard { get; init; }
    public long Soft { get; init; }
}

/// <summary>A probe of a container's health. Null or zero durations take the image's or Docker's defaults.</summary>
public sealed record HealthConfig
{
    /// <summary>NONE, CMD argument…, or CMD-SHELL line.</summary>
    public IReadOnlyList<string>? Test { get; init; }

    public long? Interval { get; init; }
    public long? Timeout { get; init; }
    public long? StartPeriod { get; init; }
    public long? StartInterval { get; init; }
    public int? Retries { get; init; }
}

public sealed record Privileges
{
    public SeccompOptions? Seccomp { get; init; }
    public AppArmorOptions? AppArmor { get; init; }
    public SELinuxContext? SELinuxContext { get; init; }
    public bool? NoNewPrivileges { get; init; }
}

public sealed record SeccompOptions
{
    /// <summary>default, unconfined or custom.</summary>
    public string? Mode { get; init; }

    /// <summary>The JSON of a custom profile.</summary>
    public byte[]? Profile { get; init; }
}

public sealed record AppArmorOptions
{
    public string? Mode { get; init; }
}

public sealed record SELinuxContext
{
    public bool Disable { get; init; }
    public string? User { get; init; }
    public string? Role { get; init; }
    public string? Type { get; init; }
    public string? Level { get; init; }
}

public sealed record SecretReference
{
    public ReferenceFile? File { get; init; }
    public string SecretID { get; init; } = "";
    public string SecretName { get; init; } = "";
}

public sealed record ConfigReference
{
    public ReferenceFile? File { get; init; }
    public string ConfigID { get; init; } = "";
    public string ConfigName { get; init; } = "";
}

public sealed record ReferenceFile
{
    public string Name { get; init; } = "";
    public string UID { get; init; } = "0";
    public string GID { get; init; } = "0";
    public uint Mode { get; init; }
}
