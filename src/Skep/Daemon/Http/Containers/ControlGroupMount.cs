namespace Skep.Daemon.Http.Containers;

/// <summary>A mounted hierarchy of control groups. Root is the group that stands at its mount point.</summary>
internal sealed record ControlGroupMount(string Root, string MountPoint, bool IsUnified, IReadOnlyList<string> Controllers)
{
    /// <summary>The mounts of proc_pid_mountinfo(5): … root mountpoint options … - type source superoptions.</summary>
    public static IReadOnlyList<ControlGroupMount> ReadAll(string mountInfoPath) =>
        [.. File.ReadAllLines(mountInfoPath).Select(Parse).OfType<ControlGroupMount>()];

    /// <summary>Where a group's files are; null when the group is not below this mount.</summary>
    public string? FolderOf(string group)
    {
        // Inside a control group namespace (cgroup_namespaces(7)) the kernel shows the root of a v1 mount as a climb: /../../..
        if (Root == "/" || Root.StartsWith("/..", StringComparison.Ordinal))
        {
            return MountPoint + group;
        }

        return group == Root || group.StartsWith(Root + "/", StringComparison.Ordinal) ? MountPoint + group[Root.Length..] : null;
    }

    private static ControlGroupMount? Parse(string line)
    {
        var halves = line.Split(" - ", 2);
        if (halves.Length != 2 || halves[0].Split(' ') is not [_, _, _, var root, var mountPoint, ..] || halves[1].Split(' ') is not [var type, _, var options])
        {
            return null;
        }

        return type switch
        {
            "cgroup2" => new ControlGroupMount(root, mountPoint, true, []),
            "cgroup" => new ControlGroupMount(root, mountPoint, false, options.Split(',')),
            _ => null,
        };
    }
}
