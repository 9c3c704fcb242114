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

    /// <summary>The machine's own processes: those in its PID namespace. Containers have one each.</summary>
    public IReadOnlyList<int> Processes()
    {
        var mine = Link(Init);
        return [.. AllProcesses().Where(process => Link(process) == mine)];
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
