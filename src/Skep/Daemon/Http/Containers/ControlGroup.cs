using System.Globalization;
using Skep.Daemon.Http.Engine;
using Skep.EngineApi.Containers;

namespace Skep.Daemon.Http.Containers;

/// <summary>
/// The counters of the control groups that a process is in: one group (cgroup v2) or one per controller (v1, and v2 beside it).
/// Files that are not there give no number.
/// </summary>
internal sealed class ControlGroup
{
    private readonly Dictionary<string, string> _folders;
    private readonly string? _unified;

    private ControlGroup(Dictionary<string, string> folders, string? unified) => (_folders, _unified) = (folders, unified);

    /// <summary>Null when the process has ended.</summary>
    public static ControlGroup? OfProcess(int pid) => OfProcess(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup"), "/proc/self/mountinfo");

    internal static ControlGroup? OfProcess(string membershipPath, string mountInfoPath)
    {
        string[] membership;
        try
        {
            membership = File.ReadAllLines(membershipPath);
        }
        catch (IOException)
        {
            return null;
        }

        var mounts = ControlGroupMount.ReadAll(mountInfoPath);
        var folders = new Dictionary<string, string>(StringComparer.Ordinal);
        string? unified = null;
        foreach (var fields in membership.Select(l => l.Split(':', 3)).Where(f => f.Length == 3))
        {
            if (fields[1].Length == 0)
            {
                unified = mounts.FirstOrDefault(m => m.IsUnified)?.FolderOf(fields[2]);
                continue;
            }

            foreach (var controller in fields[1].Split(','))
            {
                if (mounts.FirstOrDefault(m => !m.IsUnified && m.Controllers.Contains(controller))?.FolderOf(fields[2]) is { } folder)
                {
                    folders[controller] = folder;
                }
            }
        }

        return new ControlGroup(folders, unified);
    }

    public PidsStats Pids() => new(Number("pids", "pids.current"), Number("pids", "pids.max"));

    public CpuStats Cpu()
    {
        if (_folders.TryGetValue("cpuacct", out var folder))
        {
            var stat = Table(Path.Combine(folder, "cpuacct.stat"));
            const ulong PerTick = 1_000_000_000 / ProcessHost.TicksPerSecond;
            return new CpuStats
            {
                CpuUsage = new(Number("cpuacct", "cpuacct.usage") ?? 0, stat.GetValueOrDefault("system") * PerTick, stat.GetValueOrDefault("user") * PerTick),
            };
        }

        var times = Table(FileOf("cpu", "cpu.stat"));
        const ulong PerMicrosecond = 1000;
        return new CpuStats
        {
            CpuUsage = new(
                times.GetValueOrDefault("usage_usec") * PerMicrosecond,
                times.GetValueOrDefault("system_usec") * PerMicrosecond,
                times.GetValueOrDefault("user_usec") * PerMicrosecond),
        };
    }

    /// <summary>A limit that is none is the machine's memory.</summary>
    public MemoryStats Memory()
    {
        var old = _folders.ContainsKey("memory");
        var limit = Number("memory", old ? "memory.limit_in_bytes" : "memory.max");
        var machine = (ulong)HostFacts.TotalMemory;
        return new MemoryStats
        {
            Usage = Number("memory", old ? "memory.usage_in_bytes" : "memory.current"),
            Limit = limit is { } bytes && bytes < machine ? bytes : machine,
            Stats = Table(FileOf("memory", "memory.stat")),
        };
    }

    public BlkioStats Blkio() => new(
        _folders.ContainsKey("blkio")
            ? [.. Lines(FileOf("blkio", "blkio.throttle.io_service_bytes_recursive")).SelectMany(OldEntry)]
            : [.. Lines(FileOf("io", "io.stat")).SelectMany(NewEntries)]);

    /// <summary>8:0 Read 4096.</summary>
    private static IEnumerable<BlkioEntry> OldEntry(string line)
    {
        if (line.Split(' ') is [var device, var op, var value] && op is "Read" or "Write")
        {
            yield return Entry(device, op.ToLowerInvariant(), value);
        }
    }

    /// <summary>8:0 rbytes=4096 wbytes=0 rios=1 ….</summary>
    private static IEnumerable<BlkioEntry> NewEntries(string line)
    {
        var words = line.Split(' ');
        foreach (var pair in words.Skip(1).Select(w => w.Split('=')))
        {
            if (pair is ["rbytes" or "wbytes", var value])
            {
                yield return Entry(words[0], pair[0] == "rbytes" ? "read" : "write", value);
            }
        }
    }

    private static BlkioEntry Entry(string device, string op, string value)
    {
        var numbers = device.Split(':');
        return new BlkioEntry(Parse(numbers[0]) ?? 0, Parse(numbers.ElementAtOrDefault(1)) ?? 0, op, Parse(value) ?? 0);
    }

    private string FileOf(string controller, string file) => Path.Combine(_folders.GetValueOrDefault(controller, _unified ?? ""), file);

    /// <summary>Null for "max" and for files that are not there.</summary>
    private ulong? Number(string controller, string file) => Lines(FileOf(controller, file)) is [var text, ..] ? Parse(text) : null;

    private static Dictionary<string, ulong> Table(string path) => Lines(path)
        .Select(l => l.Split(' ')).Where(w => w.Length == 2 && Parse(w[1]) is not null)
        .DistinctBy(w => w[0]).ToDictionary(w => w[0], w => Parse(w[1])!.Value, StringComparer.Ordinal);

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return [];
        }
    }

    private static ulong? Parse(string? text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
