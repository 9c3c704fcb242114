using System.Globalization;

namespace Skep.Kernel.Native;

/// <summary>
/// Copies of this process' descriptors in children that were forked and have not yet become another program. A socket that was closed
/// here keeps its port until they have: close-on-exec closes at exec, not at fork (fork(2), execve(2)).
/// </summary>
public static class ForkedCopies
{
    /// <summary>A busy machine may leave a child without a turn for long; one that is still a copy after this time will not become anything.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Returns when the children that are copies now have become other programs or ended; at once if there are none.</summary>
    public static void WaitOut()
    {
        if (LinkOf(Environment.ProcessId) is { } program && CopiesOf(program) is { Count: > 0 } copies)
        {
            SpinWait.SpinUntil(() => !copies.Exists(c => IsCopy(c, program)), Patience);
        }
    }

    private static List<int> CopiesOf(string program) =>
    [
        .. from folder in Directory.EnumerateDirectories("/proc")
           let process = int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0
           where process > 0 && IsCopy(process, program)
           select process,
    ];

    private static bool IsCopy(int process, string program) =>
        process != Environment.ProcessId && LinkOf(process) == program && ParentOf(process) == Environment.ProcessId;

    // Of a process that has ended or is not ours to look at there is none.
    private static string? LinkOf(int process)
    {
        try
        {
            return File.ResolveLinkTarget(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/exe"), returnFinalTarget: false)?.FullName;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // proc(5): the second field, the program's name, is in brackets and may hold anything; the parent is the fourth.
    private static int ParentOf(int process)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
