using Skep.Model.Specs;

namespace Skep.Agent.Runtime;

/// <summary>
/// Everything that a container is made from, whoever asks for it. Null means: as the image says. It is written to the
/// container's folder as JSON, so a daemon that starts again knows what each container is.
/// </summary>
public sealed record ContainerRecipe
{
    /// <summary>64 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>Without the leading slash.</summary>
    public required string Name { get; init; }

    /// <summary>The image as the user wrote it.</summary>
    public required string Image { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string>? Entrypoint { get; init; }
    public IReadOnlyList<string>? Command { get; init; }
    public IReadOnlyList<string> Env { get; init; } = [];
    public string? WorkingDir { get; init; }
    public string? User { get; init; }
    public IReadOnlyList<string> Groups { get; init; } = [];
    public string? Hostname { get; init; }
    public bool Tty { get; init; }
    public bool OpenStdin { get; init; }
    public bool ReadOnlyRoot { get; init; }

    /// <summary>Run the command under a small init that reaps orphans and passes signals on.</summary>
    public bool Init { get; init; }

    public string? StopSignal { get; init; }
    public TimeSpan StopGracePeriod { get; init; } = TimeSpan.FromSeconds(10);
    public IReadOnlyList<Mount> Mounts { get; init; } = [];

    /// <summary>Lines for /etc/hosts: address, then names.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public ResourceLimits? Limits { get; init; }
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> CapabilityAdd { get; init; } = [];
    public IReadOnlyList<string> CapabilityDrop { get; init; } = [];
    public IReadOnlyList<Ulimit> Ulimits { get; init; } = [];
    public long? OomScoreAdj { get; init; }
    public SeccompOptions? Seccomp { get; init; }
    public bool NoNewPrivileges { get; init; }
    public HealthConfig? Healthcheck { get; init; }
    public Driver? LogDriver { get; init; }

    /// <summary>The network namespace, made before the container; null = one of its own with nothing but loopback.</summary>
    public string? NetworkNamespace { get; init; }

    public string? ResolvConf { get; init; }
}
