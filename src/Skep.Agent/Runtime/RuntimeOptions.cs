namespace Skep.Agent.Runtime;

/// <summary>Where containers live and how containerd is reached.</summary>
public sealed class RuntimeOptions
{
    public const string Section = "Runtime";

    /// <summary>Folder for what outlives a reboot: containers/, volumes/. Absolute.</summary>
    public string DataRoot { get; set; } = "/var/lib/skep";

    /// <summary>Folder for what does not: fifo/. Absolute.</summary>
    public string RunRoot { get; set; } = "/run/skep";

    /// <summary>containerd's socket; at most 107 bytes.</summary>
    public string ContainerdSocket { get; set; } = "/run/skep/containerd/containerd.sock";

    /// <summary>containerd's namespace for everything of ours.</summary>
    public string Namespace { get; set; } = "skep";

    public string Snapshotter { get; set; } = "overlayfs";

    /// <summary>The control group under which every container gets its own; begins with a slash.</summary>
    public string CgroupParent { get; set; } = "/skep";

    /// <summary>A static init for recipes that ask for one; Debian's package tini has it.</summary>
    public string InitPath { get; set; } = "/usr/bin/tini-static";

    /// <summary>How long a call waits for a containerd that is away before it fails.</summary>
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromSeconds(20);
}
