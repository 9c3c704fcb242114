namespace Skep.Daemon;

/// <summary>
/// Everything that can be set about a daemon. Flags win over <c>SKEP_…</c> variables, those over the configuration file, and that over
/// these defaults; <see cref="DaemonSettings"/> has the names, <see cref="DaemonOptionsValidator"/> the rules.
/// </summary>
public sealed record DaemonOptions
{
    /// <summary>What outlives a restart: identity, images, snapshots, volumes, etcd's log.</summary>
    public string DataRoot { get; init; } = "/var/lib/skep";

    /// <summary>What a reboot may lose: sockets of containerd and etcd, generated configuration, FIFOs.</summary>
    public string RunRoot { get; init; } = "/run/skep";

    /// <summary>Where the Engine API listens, as the docker CLI expects it.</summary>
    public string Socket { get; init; } = "/var/run/docker.sock";

    /// <summary>The group that may use the socket (mode 0660) where it exists; root alone otherwise.</summary>
    public string SocketGroup { get; init; } = "docker";

    /// <summary>The node's name in the swarm; null takes the system's host name.</summary>
    public string? Hostname { get; init; }

    /// <summary>Engine labels, each <c>key=value</c> (constraint <c>engine.labels.key</c>).</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    public DataPlane DataPlane { get; init; } = DataPlane.Nftables;

    /// <summary>Whether tasks' sockets find backends themselves by eBPF, where the kernel can; otherwise packet rules balance all flows.</summary>
    public bool SocketBalancing { get; init; } = true;

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>The socket of a containerd to use instead of a child of the daemon's own.</summary>
    public string? ContainerdSocket { get; init; }

    /// <summary>The program to run as containerd: a path, or a name to look up in PATH.</summary>
    public string Containerd { get; init; } = "containerd";

    /// <summary>The program to run as etcd on managers: a path, or a name to look up in PATH.</summary>
    public string Etcd { get; init; } = "etcd";

    /// <summary>Registries (<c>host</c>, <c>host:port</c>) or ranges (CIDR) that may be spoken to without proof of identity.</summary>
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];

    /// <summary>Ranges for networks of this node alone (docker_gwbridge); empty takes Docker's own.</summary>
    public IReadOnlyList<AddressPool> DefaultAddressPools { get; init; } = [];

    /// <summary>Name servers for names outside the swarm; empty takes those of /etc/resolv.conf.</summary>
    public IReadOnlyList<string> Dns { get; init; } = [];

    /// <summary>How long an orderly stop may take before what is left of it is abandoned.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(15);
}
