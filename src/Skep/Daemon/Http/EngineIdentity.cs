namespace Skep.Daemon.Http;

/// <summary>The daemon and its machine, as <c>docker info</c> and <c>docker version</c> show them.</summary>
public sealed record EngineIdentity
{
    public static readonly string ProductVersion = typeof(EngineIdentity).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>A name for this daemon that outlives restarts (a UUID).</summary>
    public string Id { get; init; } = "";

    public string Hostname { get; init; } = Environment.MachineName;
    public string Version { get; init; } = ProductVersion;

    /// <summary>The folder with everything that the daemon keeps.</summary>
    public string DataRoot { get; init; } = "";

    /// <summary>As <c>containerd --version</c> says; empty when it is not known.</summary>
    public string ContainerdVersion { get; init; } = "";

    public string RuncVersion { get; init; } = "";

    /// <summary>systemd or cgroupfs.</summary>
    public string CgroupDriver { get; init; } = "cgroupfs";

    public string StorageDriver { get; init; } = "overlayfs";

    /// <summary>name=seccomp,profile=default and the like: what is really in force.</summary>
    public IReadOnlyList<string> SecurityOptions { get; init; } = [];

    public IReadOnlyList<string> Labels { get; init; } = [];
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];
}
