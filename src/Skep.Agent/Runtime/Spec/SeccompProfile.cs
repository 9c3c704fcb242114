using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.Agent.Runtime.Spec;

/// <summary>
/// Turns a profile in the form that Docker's users write (archMap, includes, excludes) into the runtime-spec's linux.seccomp. The
/// default profile is a data file beside this one: everything that is not listed answers EPERM.
/// </summary>
public static class SeccompProfile
{
    private static readonly ConcurrentDictionary<string, byte[]> s_defaults = new(StringComparer.Ordinal);

    /// <summary>linux.seccomp as JSON, or null when nothing is to be filtered.</summary>
    public static byte[]? Resolve(SeccompOptions? options, IReadOnlyCollection<string> capabilities) => options?.Mode switch
    {
        null or "" or "default" => Default(capabilities),
        "unconfined" => null,
        "custom" => Custom(options.Profile ?? [], capabilities),
        var mode => throw ClusterException.Invalid($"invalid seccomp mode {mode}: it is default, unconfined or custom"),
    };

    /// <summary>The bytes of the default profile as it is shipped.</summary>
    public static byte[] ReadDefault()
    {
        using var stream = typeof(SeccompProfile).Assembly.GetManifestResourceStream("default-seccomp.json")
            ?? throw new InvalidOperationException("The default seccomp profile is not in the assembly.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Writes out <paramref name="profile"/> for these capabilities, this processor and this kernel.</summary>
    public static byte[] Convert(ReadOnlyMemory<byte> profile, IReadOnlyCollection<string> capabilities)
    {
        using var document = JsonDocument.Parse(profile);
        var root = document.RootElement;
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("defaultAction", root.GetProperty("defaultAction").GetString());
            Copy(writer, root, "defaultErrnoRet");
            Copy(writer, root, "flags");
            WriteArchitectures(writer, root);
            writer.WriteStartArray("syscalls");
            if (root.TryGetProperty("syscalls", out var rules) && rules.ValueKind == JsonValueKind.Array)
            {
                foreach (var rule in rules.EnumerateArray().Where(r => Applies(r, capabilities)))
                {
                    WriteRule(writer, rule);
                }
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static byte[] Default(IReadOnlyCollection<string> capabilities) =>
        s_defaults.GetOrAdd(string.Join(',', capabilities.Order(StringComparer.Ordinal)), _ => Convert(ReadDefault(), capabilities));

    private static byte[] Custom(byte[] profile, IReadOnlyCollection<string> capabilities)
    {
        try
        {
            return Convert(profile, capabilities);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ClusterException(ErrorKind.InvalidArgument, $"the custom seccomp profile cannot be read: {error.Message}", error);
        }
    }

    private static void WriteArchitectures(Utf8JsonWriter writer, JsonElement root)
    {
        if (root.TryGetProperty("architectures", out var plain) && plain.ValueKind == JsonValueKind.Array)
        {
            Copy(writer, root, "architectures");
            return;
        }

        if (!root.TryGetProperty("archMap", out var map) || map.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        var native = NativeArchitecture;
        writer.WriteStartArray("architectures");
        foreach (var entry in map.EnumerateArray().Where(e => e.GetProperty("architecture").ValueEquals(native)))
        {
            writer.WriteStringValue(native);
            foreach (var sub in entry.GetProperty("subArchitectures").EnumerateArray())
            {
                sub.WriteTo(writer);
            }
        }

        writer.WriteEndArray();
    }

    private static void WriteRule(Utf8JsonWriter writer, JsonElement rule)
    {
        writer.WriteStartObject();
        if (rule.TryGetProperty("names", out var names))
        {
            writer.WritePropertyName("names");
            names.WriteTo(writer);
        }
        else
        {
            writer.WriteStartArray("names");
            rule.GetProperty("name").WriteTo(writer);
            writer.WriteEndArray();
        }

        writer.WriteString("action", rule.GetProperty("action").GetString());
        Copy(writer, rule, "errnoRet");
        Copy(writer, rule, "args");
        writer.WriteEndObject();
    }

    private static bool Applies(JsonElement rule, IReadOnlyCollection<string> capabilities)
    {
        if (rule.TryGetProperty("includes", out var includes)
            && (!Names(includes, "caps").All(capabilities.Contains)
                || (Names(includes, "arches") is { Count: > 0 } wanted && !wanted.Contains(GoArchitecture))
                || !KernelIsAtLeast(includes)))
        {
            return false;
        }

        return !rule.TryGetProperty("excludes", out var excludes)
            || !(Names(excludes, "caps").Any(capabilities.Contains)
                || Names(excludes, "arches").Contains(GoArchitecture)
                || (excludes.TryGetProperty("minKernel", out _) && KernelIsAtLeast(excludes)));
    }

    private static List<string> Names(JsonElement filter, string key) =>
        filter.TryGetProperty(key, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(e => e.GetString() ?? "")]
            : [];

    private static bool KernelIsAtLeast(JsonElement filter)
    {
        if (!filter.TryGetProperty("minKernel", out var least) || least.GetString() is not { Length: > 0 } text)
        {
            return true;
        }

        var parts = text.Split('.');
        var wanted = new Version(int.Parse(parts[0], CultureInfo.InvariantCulture), parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
        return Environment.OSVersion.Version >= wanted;
    }

    private static void Copy(Utf8JsonWriter writer, JsonElement source, string key)
    {
        if (source.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null)
        {
            writer.WritePropertyName(key);
            value.WriteTo(writer);
        }
    }

    private static string GoArchitecture => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.Arm64 => "arm64",
        Architecture.Arm => "arm",
        Architecture.S390x => "s390x",
        Architecture.Ppc64le => "ppc64le",
        Architecture.RiscV64 => "riscv64",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static string NativeArchitecture => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "SCMP_ARCH_X86_64",
        Architecture.Arm64 => "SCMP_ARCH_AARCH64",
        Architecture.Arm => "SCMP_ARCH_ARM",
        var other => "SCMP_ARCH_" + other.ToString().ToUpperInvariant(),
    };
}
