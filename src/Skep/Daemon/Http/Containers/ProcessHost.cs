using System.Globalization;

namespace Skep.Daemon.Http.Containers;

/// <summary>The machine while one table of its processes is read: its clock, its start, its users.</summary>
internal sealed class ProcessHost
{
    /// <summary>USER_HZ: what the kernel shows to programs is in hundredths on every architecture that .NET runs on.</summary>
    public const int TicksPerSecond = 100;

    private readonly Dictionary<string, string> _users;

    public ProcessHost(TimeProvider clock)
    {
        Now = clock.GetUtcNow();
        Zone = clock.LocalTimeZone;
        var booted = File.ReadLines("/proc/stat").FirstOrDefault(l => l.StartsWith("btime ", StringComparison.Ordinal));
        BootedAt = booted is null ? Now : DateTimeOffset.FromUnixTimeSeconds(long.Parse(booted[6..], CultureInfo.InvariantCulture));
        _users = File.Exists("/etc/passwd")
            ? File.ReadLines("/etc/passwd").Select(l => l.Split(':')).Where(f => f.Length > 2).DistinctBy(f => f[2]).ToDictionary(f => f[2], f => f[0])
            : [];
    }

    public DateTimeOffset Now { get; }
    public DateTimeOffset BootedAt { get; }
    public TimeZoneInfo Zone { get; }

    /// <summary>Null when the process has ended meanwhile.</summary>
    public ProcessReading? Read(int pid)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/");
        try
        {
            var stat = File.ReadAllText(folder + "stat");
            var user = File.ReadLines(folder + "status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2];
            var commandLine = File.ReadAllText(folder + "cmdline").TrimEnd('\0').Replace('\0', ' ');

            // The name may hold blanks and parentheses of its own; the last one ends it.
            var (open, close) = (stat.IndexOf('(', StringComparison.Ordinal), stat.LastIndexOf(')'));
            return new ProcessReading(
                this, pid, _users.GetValueOrDefault(user, user), user, stat[(open + 1)..close], commandLine, stat[(close + 2)..].TrimEnd().Split(' '));
        }
        catch (Exception ended) when (ended is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
