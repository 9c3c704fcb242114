using System.Text.Json;
using Skep.Model.Specs;

namespace Skep.Agent.Runtime.Spec;

/// <summary>Everything that the runtime-spec document of a container is written from.</summary>
public sealed record OciSpecInput
{
    public required string Id { get; init; }
    public required IReadOnlyList<string> CommandLine { get; init; }
    public required ProcessSettings Process { get; init; }
    public required string Hostname { get; init; }
    public bool ReadOnlyRoot { get; init; }

    /// <summary>After the standard ones; sorted, so that a mount never hides one below it.</summary>
    public IReadOnlyList<SpecMount> Mounts { get; init; } = [];

    public ResourceLimits? Limits { get; init; }
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    /// <summary>Path of a network namespace; null makes a new one.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>linux.seccomp; null filters nothing.</summary>
    public byte[]? Seccomp { get; init; }

    public string CgroupParent { get; init; } = "/skep";
    public CgroupKind Cgroup { get; init; }
}

/// <summary>Writes runtime-spec 1.0.2 documents with Docker's defaults (github.com/opencontainers/runtime-spec, config.md).</summary>
public static class OciSpec
{
    public const string TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
    public const string ProcessTypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Process";
    private const long CpuPeriod = 100_000;

    private static readonly string[] s_maskedPaths =
    [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    private static readonly string[] s_readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    private static readonly SpecMount[] s_standardMounts =
    [
        new("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
        new("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        new("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        new("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
        new("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "nosuid", "noexec", "nodev"]),
        new("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
        new("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
    ];

    public static byte[] Write(OciSpecInput input)
    {
        var buffer = new MemoryStream(16 * 1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("ociVersion", "1.0.2");
            writer.WritePropertyName("process");
            WriteProcess(writer, input.Process, input.CommandLine);
            writer.WriteStartObject("root");
            writer.WriteString("path", "rootfs");
            writer.WriteBoolean("readonly", input.ReadOnlyRoot);
            writer.WriteEndObject();
            writer.WriteString("hostname", input.Hostname);
            WriteMounts(writer, input);
            WriteLinux(writer, input);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>The document for an exec.</summary>
    public static byte[] WriteProcess(ProcessSettings process, IReadOnlyList<string> arguments)
    {
        var buffer = new MemoryStream(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            WriteProcess(writer, process, arguments);
        }

        return buffer.ToArray();
    }

    private static void WriteProcess(Utf8JsonWriter writer, ProcessSettings process, IReadOnlyList<string> arguments)
    {
        writer.WriteStartObject();
        writer.WriteBoolean("terminal", process.Tty);
        writer.WriteStartObject("user");
        writer.WriteNumber("uid", process.Uid);
        writer.WriteNumber("gid", process.Gid);
        writer.WriteStartArray("additionalGids");
        foreach (var gid in process.AdditionalGids)
        {
            writer.WriteNumberValue(gid);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        Strings(writer, "args", arguments);
        Strings(writer, "env", process.Env);
        writer.WriteString("cwd", process.WorkingDir);
        writer.WriteStartObject("capabilities");
        Strings(writer, "bounding", process.Capabilities);
        if (process.Uid == 0)
        {
            // Others get what execve(2) would leave them with: nothing beyond the bound.
            Strings(writer, "effective", process.Capabilities);
            Strings(writer, "permitted", process.Capabilities);
        }

        writer.WriteEndObject();
        if (process.Ulimits.Count > 0)
        {
            writer.WriteStartArray("rlimits");
            foreach (var limit in process.Ulimits)
            {
                writer.WriteStartObject();
                writer.WriteString("type", "RLIMIT_" + limit.Name.ToUpperInvariant());
                writer.WriteNumber("hard", unchecked((ulong)limit.Hard));
                writer.WriteNumber("soft", unchecked((ulong)limit.Soft));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteBoolean("noNewPrivileges", process.NoNewPrivileges);
        writer.WriteNumber("oomScoreAdj", process.OomScoreAdj ?? 0);
        writer.WriteEndObject();
    }

    private static void WriteMounts(Utf8JsonWriter writer, OciSpecInput input)
    {
        // A mount of the user's at the place of a standard one takes that place.
        var chosen = input.Mounts.Select(m => m.Destination).ToHashSet(StringComparer.Ordinal);
        writer.WriteStartArray("mounts");
        foreach (var mount in s_standardMounts.Where(m => !chosen.Contains(m.Destination))
            .Concat(input.Mounts.OrderBy(m => m.Destination.Count(c => c == '/')).ThenBy(m => m.Destination, StringComparer.Ordinal)))
        {
            writer.WriteStartObject();
            writer.WriteString("destination", mount.Destination);
            writer.WriteString("type", mount.Type);
            writer.WriteString("source", mount.Source);
            Strings(writer, "options", mount.Options);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteLinux(Utf8JsonWriter writer, OciSpecInput input)
    {
        writer.WriteStartObject("linux");
        writer.WriteString("cgroupsPath", $"{input.CgroupParent}/{input.Id}");
        writer.WriteStartArray("namespaces");
        foreach (var kind in new[] { "mount", "uts", "pid", "ipc" })
        {
            Namespace(writer, kind, null);
        }

        Namespace(writer, "network", input.NetworkNamespace);
        if (input.Cgroup == CgroupKind.V2)
        {
            Namespace(writer, "cgroup", null);
        }

        writer.WriteEndArray();
        WriteResources(writer, input);
        if (input.Sysctls.Count > 0)
        {
            writer.WriteStartObject("sysctl");
            foreach (var (key, value) in input.Sysctls.OrderBy(s => s.Key, StringComparer.Ordinal))
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
        }

        Strings(writer, "maskedPaths", s_maskedPaths);
        Strings(writer, "readonlyPaths", s_readonlyPaths);
        if (input.Seccomp is not null)
        {
            writer.WritePropertyName("seccomp");
            writer.WriteRawValue(input.Seccomp, skipInputValidation: true);
        }

        writer.WriteEndObject();
    }

    private static void WriteResources(Utf8JsonWriter writer, OciSpecInput input)
    {
        writer.WriteStartObject("resources");
        DeviceRules.Write(writer);
        var limits = input.Limits;
        if (limits?.NanoCPUs is > 0)
        {
            writer.WriteStartObject("cpu");
            // The kernel takes no quota below a millisecond.
            writer.WriteNumber("quota", Math.Max(1000, limits.NanoCPUs.Value / (1_000_000_000 / CpuPeriod)));
            writer.WriteNumber("period", CpuPeriod);
            writer.WriteEndObject();
        }

        if (limits?.MemoryBytes is > 0)
        {
            writer.WriteStartObject("memory");
            writer.WriteNumber("limit", limits.MemoryBytes.Value);
            if (input.Cgroup != CgroupKind.V1WithoutSwap)
            {
                // As Docker: as much swap as memory.
                writer.WriteNumber("swap", limits.MemoryBytes.Value * 2);
            }

            writer.WriteEndObject();
        }

        if (limits?.Pids is > 0)
        {
            writer.WriteStartObject("pids");
            writer.WriteNumber("limit", limits.Pids.Value);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void Namespace(Utf8JsonWriter writer, string type, string? path)
    {
        writer.WriteStartObject();
        writer.WriteString("type", type);
        if (path is not null)
        {
            writer.WriteString("path", path);
        }

        writer.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }
}
