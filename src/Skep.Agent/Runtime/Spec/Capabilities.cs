using Skep.Model.Errors;

namespace Skep.Agent.Runtime.Spec;

/// <summary>Which capabilities a container's processes may have (capabilities(7)).</summary>
public static class Capabilities
{
    /// <summary>What Docker gives to every container.</summary>
    public static readonly IReadOnlyList<string> Default =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ];

    /// <summary>All that Linux 5.9 and newer knows, in the kernel's order.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
        "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <summary>The default set with <paramref name="add"/> and without <paramref name="drop"/>; either may name ALL.</summary>
    public static IReadOnlyList<string> Resolve(IReadOnlyList<string> add, IReadOnlyList<string> drop)
    {
        var adds = Normalise(add, "CapAdd");
        var drops = Normalise(drop, "CapDrop");
        IEnumerable<string> start = adds.Contains("ALL") ? All : drops.Contains("ALL") ? [] : Default;
        return [.. start.Where(c => !drops.Contains(c)).Union(adds.Where(c => c != "ALL" && !drops.Contains(c)))];
    }

    private static HashSet<string> Normalise(IReadOnlyList<string> names, string field)
    {
        var result = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var upper = name.ToUpperInvariant();
            var full = upper == "ALL" || upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper : "CAP_" + upper;
            if (full != "ALL" && !All.Contains(full))
            {
                throw ClusterException.Invalid($"invalid {field}: unknown capability: \"{full}\"");
            }

            result.Add(full);
        }

        return result;
    }
}
