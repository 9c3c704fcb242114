using System.Globalization;

namespace Skep.Bench.Swarms;

/// <summary>One machine of the lab.</summary>
/// <param name="Init">The process that holds the machine's namespaces, as an id of this machine.</param>
public sealed record BenchNode(int Number, string Address, string Folder, EngineSocket Api, int Init)
{
    /// <summary>Runs a program in the machine's network namespace, with this machine's file system.</summary>
    public Task<string> InNetworkAsync(IEnumerable<string> command, CancellationToken cancellationToken) =>
        Shell.RunAsync("nsenter", [$"--net=/proc/{Text(Init)}/ns/net", "--", .. command], cancellationToken);

    /// <summary>Runs a program in the network namespace of a process.</summary>
    public static Task<string> InNetworkOfAsync(int process, IEnumerable<string> command, CancellationToken cancellationToken) =>
        Shell.RunAsync("nsenter", [$"--net=/proc/{Text(process)}/ns/net", "--", .. command], cancellationToken);

    /// <summary>The same from the control group of version 2 that the process is in; sockets belong to the group of their maker.</summary>
    public static Task<string> InGroupOfAsync(int process, IEnumerable<string> command, CancellationToken cancellationToken)
    {
        const string Script =
            """
            for root in /sys/fs/cgroup/unified /sys/fs/cgroup; do [ ! -e "$root/cgroup.controllers" ] || break; done
            echo $$ >"$root$(sed -n 's/^0:://p' "/proc/$0/cgroup")/cgroup.procs" || exit 1
            exec nsenter "--net=/proc/$0/ns/net" -- "$@"
            """;
        return Shell.RunAsync("sh", ["-c", Script, Text(process), .. command], cancellationToken);
    }

    /// <summary>The machine's own processes: those in its PID namespace. Containers have one each.</summary>
    public IReadOnlyList<int> Processes()
    {
        var mine = Link(Init);
        return [.. AllProcesses().Where(process => Link(process) == mine)];
    }

    /// <summary>The process of the machine's daemon.</summary>
    public int Daemon() => Processes().FirstOrDefault(process => IsDaemon(ProgramOf(process))) is > 0 and var found
        ? found
        : throw new BenchException($"no daemon runs on node{Text(Number)}");

    public static bool IsDaemon(string program) => program is "skep" or "dockerd";

    /// <summary>
    /// The program that a process runs; empty when it is gone. The name of a thread (comm) is cut at 15 letters and can be changed; the first
    /// word of the command line is whole.
    /// </summary>
    public static string ProgramOf(int process)
    {
        try
        {
            return Path.GetFileName(File.ReadAllText($"/proc/{Text(process)}/cmdline").Split('\0')[0]);
        }
        catch (IOException)
        {
            return "";
        }
    }

    public static IEnumerable<int> AllProcesses() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
        .Where(id => id > 0);

    private static string? Link(int process)
    {
        try
        {
            return new FileInfo($"/proc/{Text(process)}/ns/pid").LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
