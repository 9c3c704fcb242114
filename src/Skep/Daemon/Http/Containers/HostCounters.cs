using System.Globalization;
using Skep.EngineApi.Containers;

namespace Skep.Daemon.Http.Containers;

/// <summary>Counters of the machine and of a network namespace, from /proc.</summary>
internal static class HostCounters
{
    private const ulong NanosecondsPerTick = 1_000_000_000 / ProcessHost.TicksPerSecond;

    /// <summary>user, nice, system, idle, iowait, irq, softirq and steal; guests' time is in user already.</summary>
    private const int ProcessorTimes = 8;

    /// <summary>What all processors together spent since the start, idle too.</summary>
    public static ulong ProcessorNanoseconds()
    {
        var total = 0UL;
        foreach (var ticks in File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(ProcessorTimes))
        {
            total += ulong.Parse(ticks, CultureInfo.InvariantCulture) * NanosecondsPerTick;
        }

        return total;
    }

    public static int Processors() => File.ReadLines("/proc/stat").Count(l => l.StartsWith("cpu", StringComparison.Ordinal) && l[3] != ' ');

    /// <summary>By interface, without loopback; null when there is none.</summary>
    public static IReadOnlyDictionary<string, InterfaceStats>? Interfaces(int pid)
    {
        var interfaces = new Dictionary<string, InterfaceStats>(StringComparer.Ordinal);
        try
        {
            foreach (var line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/net/dev")).Skip(2))
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                var (name, n) = (line[..colon].Trim(), Numbers(line[(colon + 1)..]));
                if (name != "lo")
                {
                    interfaces[name] = new InterfaceStats(n[0], n[1], n[2], n[3], n[8], n[9], n[10], n[11]);
                }
            }
        }
        catch (IOException)
        {
            return null;
        }

        return interfaces.Count == 0 ? null : interfaces;
    }

    private static ulong[] Numbers(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => ulong.Parse(n, CultureInfo.InvariantCulture))];
}
