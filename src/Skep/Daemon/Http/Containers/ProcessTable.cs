using Skep.EngineApi.Containers;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>
/// What <c>ps</c> would print of a container's processes, read from /proc without running it. Understood are <c>-ef</c> (the
/// default), <c>aux</c> and <c>-o</c> with columns by name.
/// </summary>
internal sealed class ProcessTable
{
    private static readonly string[] s_full = ["user:UID", "pid", "ppid", "c", "stime", "tty", "time", "args:CMD"];
    private static readonly string[] s_aux = ["user", "pid", "pcpu", "pmem", "vsz", "rss", "tty", "stat", "start", "bsdtime:TIME", "args:COMMAND"];

    private static readonly Dictionary<string, (string Title, Func<ProcessReading, string> Read)> s_columns = new(StringComparer.Ordinal)
    {
        ["user"] = ("USER", p => p.User),
        ["uid"] = ("UID", p => p.UserId),
        ["pid"] = ("PID", p => p.Pid),
        ["ppid"] = ("PPID", p => p.ParentPid),
        ["c"] = ("C", p => p.ProcessorPercent("F0")),
        ["pcpu"] = ("%CPU", p => p.ProcessorPercent("F1")),
        ["pmem"] = ("%MEM", p => p.MemoryPercent),
        ["vsz"] = ("VSZ", p => p.VirtualKibibytes),
        ["rss"] = ("RSS", p => p.ResidentKibibytes),
        ["stime"] = ("STIME", p => p.Started),
        ["start"] = ("START", p => p.Started),
        ["tty"] = ("TTY", p => p.Terminal),
        ["time"] = ("TIME", p => p.ProcessorTime),
        ["bsdtime"] = ("TIME", p => p.ShortProcessorTime),
        ["stat"] = ("STAT", p => p.State),
        ["comm"] = ("COMMAND", p => p.Name),
        ["args"] = ("COMMAND", p => p.CommandLine),
    };

    private static readonly Dictionary<string, string> s_otherNames = new(StringComparer.Ordinal)
    {
        ["cmd"] = "args:CMD",
        ["command"] = "args",
        ["euser"] = "user",
        ["uname"] = "user",
        ["euid"] = "uid",
        ["%cpu"] = "pcpu",
        ["%mem"] = "pmem",
        ["rssize"] = "rss",
        ["vsize"] = "vsz",
        ["state"] = "stat",
        ["s"] = "stat:S",
        ["cputime"] = "time",
        ["ucmd"] = "comm:CMD",
        ["tt"] = "tty:TT",
        ["tname"] = "tty",
    };

    private readonly IReadOnlyList<(string Title, Func<ProcessReading, string> Read)> _columns;

    private ProcessTable(IEnumerable<string> columns) => _columns = [.. columns.Select(Column)];

    /// <param name="arguments">As for ps(1); null or empty is -ef.</param>
    /// <exception cref="ClusterException">InvalidArgument: not understood.</exception>
    public static ProcessTable Parse(string? arguments)
    {
        var words = (arguments ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            [] or ["-ef"] or ["-e", "-f"] or ["-f"] or ["-fe"] => new ProcessTable(s_full),
            ["aux" or "-aux" or "u" or "au" or "axu" or "uax"] => new ProcessTable(s_aux),
            ["-o" or "-eo" or "-o" or "o" or "axo" or "-axo" or "--format", .. var columns] when columns.Length > 0 => Listed(columns),
            ["-e" or "ax" or "-ax", "-o" or "o", .. var columns] when columns.Length > 0 => Listed(columns),
            [var one] when one.StartsWith("-o", StringComparison.Ordinal) && one.Length > 2 => Listed([one[2..]]),
            _ => throw ClusterException.Invalid($"ps arguments \"{arguments}\" are not understood by this version; use -ef, aux or -o with columns"),
        };
    }

    public TopAnswer Read(IEnumerable<int> pids, TimeProvider clock)
    {
        var host = new ProcessHost(clock);
        return new TopAnswer(
            [.. _columns.Select(c => c.Title)],
            [.. pids.Order().Select(host.Read).OfType<ProcessReading>().Select(p => (IReadOnlyList<string>)[.. _columns.Select(c => c.Read(p))])]);
    }

    private static ProcessTable Listed(IEnumerable<string> columns) =>
        new(columns.SelectMany(c => c.Split(',', StringSplitOptions.RemoveEmptyEntries)).Select(c => c.Replace('=', ':')));

    /// <summary>A name, or a name with a title of its own: user:UID.</summary>
    private static (string Title, Func<ProcessReading, string> Read) Column(string text)
    {
        var (name, title) = Split(text);
        if (s_otherNames.TryGetValue(name, out var other))
        {
            var (real, otherTitle) = Split(other);
            (name, title) = (real, title ?? otherTitle);
        }

        return s_columns.TryGetValue(name, out var column)
            ? (title ?? column.Title, column.Read)
            : throw ClusterException.Invalid($"ps column \"{name}\" is not known to this version");
    }

    private static (string Name, string? Title) Split(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (text, null) : (text[..colon], text[(colon + 1)..] is { Length: > 0 } title ? title : null);
    }
}
