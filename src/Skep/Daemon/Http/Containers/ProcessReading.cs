using System.Globalization;
using Skep.Daemon.Http.Engine;

namespace Skep.Daemon.Http.Containers;

/// <summary>One process in the words of ps. Fields of /proc/pid/stat are numbered as in proc_pid_stat(5), from 1.</summary>
internal sealed class ProcessReading(ProcessHost host, int pid, string user, string userId, string name, string commandLine, string[] stat)
{
    private const int FirstAfterName = 3;
    private const int SecondsPerHour = 3600;
    private const int SecondsPerDay = 86400;

    public string User => user;
    public string UserId => userId;
    public string Pid => pid.ToString(CultureInfo.InvariantCulture);
    public string ParentPid => Field(4);
    public string State => Field(3);
    public string Name => name;

    /// <summary>Kernel threads and zombies have none; their name stands in brackets.</summary>
    public string CommandLine => commandLine.Length > 0 ? commandLine : $"[{name}]";

    public string VirtualKibibytes => Text(Number(23) / 1024);
    public string ResidentKibibytes => Text(Number(24) * Environment.SystemPageSize / 1024);
    public string MemoryPercent => Text(100.0 * Number(24) * Environment.SystemPageSize / Math.Max(1, HostFacts.TotalMemory), "F1");

    public string ProcessorTime
    {
        get
        {
            var seconds = (long)ProcessorSeconds;
            var days = seconds >= SecondsPerDay ? Text(seconds / SecondsPerDay) + "-" : "";
            return days + string.Create(
                CultureInfo.InvariantCulture, $"{seconds % SecondsPerDay / SecondsPerHour:D2}:{seconds % SecondsPerHour / 60:D2}:{seconds % 60:D2}");
        }
    }

    public string ShortProcessorTime => string.Create(CultureInfo.InvariantCulture, $"{(long)ProcessorSeconds / 60}:{(long)ProcessorSeconds % 60:D2}");

    /// <summary>The time of day when it started within the last day, else the date.</summary>
    public string Started
    {
        get
        {
            var started = host.BootedAt + TimeSpan.FromSeconds((double)Number(22) / ProcessHost.TicksPerSecond);
            var local = TimeZoneInfo.ConvertTime(started, host.Zone);
            var format = host.Now - started < TimeSpan.FromDays(1) ? "HH:mm" : "MMMdd";
            return local.ToString(format, CultureInfo.InvariantCulture);
        }
    }

    /// <summary>The device's number takes apart into major and minor as in makedev(3); 136 to 143 are pseudo-terminals.</summary>
    public string Terminal
    {
        get
        {
            var device = Number(7);
            var major = (device >> 8) & 0xfff;
            var minor = (device & 0xff) | ((device >> 12) & 0xfff00);
            return major switch
            {
                >= 136 and <= 143 => $"pts/{Text(((major - 136) << 8) + minor)}",
                4 when minor < 64 => $"tty{Text(minor)}",
                4 => $"ttyS{Text(minor - 64)}",
                _ => "?",
            };
        }
    }

    private double ProcessorSeconds => (double)(Number(14) + Number(15)) / ProcessHost.TicksPerSecond;

    /// <summary>Of one processor, over the process's life.</summary>
    public string ProcessorPercent(string format)
    {
        var age = (host.Now - host.BootedAt).TotalSeconds - ((double)Number(22) / ProcessHost.TicksPerSecond);
        var percent = age <= 0 ? 0 : 100 * ProcessorSeconds / age;
        return Text(format == "F0" ? Math.Floor(percent) : percent, format);
    }

    private string Field(int number) => stat.ElementAtOrDefault(number - FirstAfterName) ?? "0";

    private long Number(int field) => long.TryParse(Field(field), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
