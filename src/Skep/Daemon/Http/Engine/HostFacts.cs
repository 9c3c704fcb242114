using System.Globalization;
using System.Runtime.InteropServices;

namespace Skep.Daemon.Http.Engine;

/// <summary>What the machine's kernel and distribution say of themselves.</summary>
internal static class HostFacts
{
    public static string KernelVersion { get; } = FirstLine("/proc/sys/kernel/osrelease");

    public static string OperatingSystem { get; } = Release("PRETTY_NAME");

    public static string OSVersion { get; } = Release("VERSION_ID");

    /// <summary>1 or 2: the unified hierarchy has this file at its root.</summary>
    public static string CgroupVersion { get; } = File.Exists("/sys/fs/cgroup/cgroup.controllers") ? "2" : "1";

    /// <summary>As uname names it.</summary>
    public static string Machine { get; } = RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "x86_64",
        Architecture.Arm64 => "aarch64",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>As Go names it.</summary>
    public static string GoArchitecture { get; } = RuntimeInformation.OSArchitecture == Architecture.X64
        ? "amd64"
        : RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant();

    public static bool IPv4Forwarding => FirstLine("/proc/sys/net/ipv4/ip_forward") == "1";

    /// <summary>Bytes.</summary>
    public static long TotalMemory { get; } = ReadTotalMemory();

    public static int OpenFiles => Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;

    private static long ReadTotalMemory()
    {
        var line = File.Exists("/proc/meminfo") ? File.ReadLines("/proc/meminfo").FirstOrDefault(l => l.StartsWith("MemTotal:", StringComparison.Ordinal)) : null;
        var kibibytes = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var number, ..] ? number : "0";
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024;
    }

    private static string Release(string key)
    {
        const string Path = "/etc/os-release";
        var line = File.Exists(Path) ? File.ReadLines(Path).FirstOrDefault(l => l.StartsWith(key + "=", StringComparison.Ordinal)) : null;
        return line?[(key.Length + 1)..].Trim('"') ?? "";
    }

    private static string FirstLine(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : "";
}
