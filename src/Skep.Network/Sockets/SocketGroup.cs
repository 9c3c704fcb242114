namespace Skep.Network.Sockets;

/// <summary>
/// The control group of version 2 that the sockets of all containers belong to, and no others. A socket belongs to the group that its maker
/// was in, for good.
/// <para>
/// runc puts containers below their parent's group (/sys/fs/cgroup/skep/ID), and where version 2 is mounted beside version 1 it does so there
/// too (/sys/fs/cgroup/unified/skep/ID), but only at that very place: of a mount elsewhere the root is taken, as containers are then in
/// whichever group their shim is in. In a control group namespace (a machine of the lab) mounts begin with the machine's own group.
/// </para>
/// </summary>
public static class SocketGroup
{
    private static readonly string[] s_known = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

    /// <summary>The folder; null where no version 2 is mounted.</summary>
    /// <param name="parent">The group under which every container gets its own; begins with a slash.</param>
    /// <param name="mountInfoPath">proc_pid_mountinfo(5).</param>
    public static string? Find(string parent, string mountInfoPath = "/proc/self/mountinfo")
    {
        ArgumentNullException.ThrowIfNull(parent);
        var mounts = File.ReadLines(mountInfoPath).Select(MountOf).OfType<string>().ToList();
        return s_known.FirstOrDefault(mounts.Contains) is { } known ? known + parent : mounts.FirstOrDefault();
    }

    // … root mountpoint options … - type source superoptions
    private static string? MountOf(string line)
    {
        var halves = line.Split(" - ", 2);
        return halves.Length == 2 && halves[1].StartsWith("cgroup2 ", StringComparison.Ordinal) && halves[0].Split(' ') is [_, _, _, _, var place, ..]
            ? place
            : null;
    }
}
