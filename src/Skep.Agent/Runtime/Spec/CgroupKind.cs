namespace Skep.Agent.Runtime.Spec;

/// <summary>How this machine mounts its control groups.</summary>
public enum CgroupKind
{
    V1,

    /// <summary>The kernel keeps no account of swap; asking for a limit on it would fail every container.</summary>
    V1WithoutSwap,
    V2,
}

public static class CgroupMounts
{
    /// <summary>Hybrid mounts count as version 1: the controllers are there.</summary>
    public static CgroupKind Detect(string root = "/sys/fs/cgroup")
    {
        if (File.Exists(Path.Combine(root, "cgroup.controllers")))
        {
            return CgroupKind.V2;
        }

        return File.Exists(Path.Combine(root, "memory/memory.memsw.limit_in_bytes")) ? CgroupKind.V1 : CgroupKind.V1WithoutSwap;
    }
}
