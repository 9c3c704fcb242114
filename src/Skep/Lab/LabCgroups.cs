using System.Globalization;

namespace Skep.Lab;

/// <summary>The cgroups of a lab or of one machine: the second way, next to process ids on file, to find all that belongs to it.</summary>
internal static class LabCgroups
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>Every process in the group, in any hierarchy.</summary>
    public static IReadOnlySet<int> Processes(string group)
    {
        var found = new HashSet<int>();
        foreach (var folder in Folders(group).SelectMany(root => Tree(root)))
        {
            try
            {
                found.UnionWith(File.ReadLines($"{folder}/cgroup.procs").Select(line => int.Parse(line, CultureInfo.InvariantCulture)));
            }
            catch (IOException)
            {
                // The group went away, or is a threaded one.
            }
        }

        // 0 stands for a process of another PID namespace that this one cannot see.
        found.Remove(0);
        found.Remove(Environment.ProcessId);
        return found;
    }

    /// <summary>Kills what is in the group, whatever started it, and removes the group from every hierarchy.</summary>
    public static async Task RemoveAsync(string group, TimeProvider clock, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        while (true)
        {
            foreach (var process in Processes(group))
            {
                if (ProcessHandle.Find(process) is { } handle)
                {
                    await handle.KillAsync(cancellationToken);
                }
            }

            // A group is busy until the kernel has done with the last process that was in it; there is no event for that in version 1.
            var busy = Folders(group).Where(root => !TryRemoveTree(root)).ToList();
            if (busy.Count == 0 || clock.GetElapsedTime(begun) > s_patience)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, cancellationToken);
        }
    }

    /// <summary>Removes the folder that all labs share, where no lab is left in it.</summary>
    public static void RemoveEmptyParent()
    {
        foreach (var folder in Folders("skep-lab"))
        {
            TryRemove(folder);
        }
    }

    private static List<string> Folders(string group) =>
        [.. Mounts().Select(mount => $"{mount}/{group}").Where(Directory.Exists)];

    private static IEnumerable<string> Mounts() =>
        from line in File.ReadLines("/proc/self/mountinfo")
        let end = line.IndexOf(" - ", StringComparison.Ordinal)
        where end > 0 && line.AsSpan(end + 3).StartsWith("cgroup")
        select line.Split(' ')[4];

    private static IEnumerable<string> Tree(string folder)
    {
        string[] inner;
        try
        {
            inner = Directory.GetDirectories(folder);
        }
        catch (IOException)
        {
            inner = [];
        }

        return inner.SelectMany(Tree).Append(folder);
    }

    private static bool TryRemoveTree(string folder) => Tree(folder).ToList().TrueForAll(TryRemove);

    // rmdir(2) and not a recursive delete: the files of a cgroup are the kernel's and go with it.
    private static bool TryRemove(string folder) => LibC.RemoveFolder(folder) || !Directory.Exists(folder);
}
