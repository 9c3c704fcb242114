using System.Globalization;
using System.Text;

namespace Skep.Daemon.Supervision;

/// <summary>
/// One process for as long as it lives: its id and its time of birth in clock ticks since boot (field 22 of
/// <c>/proc/PID/stat</c>, proc(5)), which tell it from a later process of the same id.
/// </summary>
internal readonly record struct ProcessIdentity(int Pid, ulong BornAt)
{
    /// <summary>Null when there is no such process or only its remains (a zombie).</summary>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            return Parse(File.ReadAllText($"/proc/{pid}/stat"), out var state) is { } identity && state is not ('Z' or 'X') ? identity : null;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The process that a pid file names; null when the file is missing or makes no sense.</summary>
    public static ProcessIdentity? FromFile(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), out _);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public bool IsAlive => Of(Pid) == this;

    /// <summary>The arguments that the process was started with, its own name first; empty when it is gone.</summary>
    public IReadOnlyList<string> CommandLine()
    {
        try
        {
            var text = Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{Pid}/cmdline"));
            return text.Length == 0 ? [] : text.TrimEnd('\0').Split('\0');
        }
        catch (IOException)
        {
            return [];
        }
    }

    // The second field is the program's name in brackets and may hold anything, so the rest is counted from the last bracket.
    private static ProcessIdentity? Parse(string stat, out char state)
    {
        state = '?';
        var bracket = stat.LastIndexOf(')');
        var space = stat.IndexOf(' ');
        if (bracket < 0 || space < 0 || !int.TryParse(stat.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
        {
            return null;
        }

        var rest = stat[(bracket + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (rest.Length < 20 || !ulong.TryParse(rest[19], NumberStyles.None, CultureInfo.InvariantCulture, out var born))
        {
            return null;
        }

        state = rest[0][0];
        return new ProcessIdentity(pid, born);
    }
}
