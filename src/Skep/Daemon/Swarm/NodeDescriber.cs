using System.Globalization;
using System.Runtime.InteropServices;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.Daemon.Swarm;

/// <summary>What this machine tells the managers of itself.</summary>
internal static class NodeDescriber
{
    private static readonly PluginDescription[] s_plugins =
    [
        new() { Type = "Log", Name = "json-file" },
        new() { Type = "Log", Name = "none" },
        new() { Type = "Network", Name = "bridge" },
        new() { Type = "Network", Name = "host" },
        new() { Type = "Network", Name = "null" },
        new() { Type = "Network", Name = "overlay" },
        new() { Type = "Volume", Name = "local" },
    ];

    public static NodeDescription Describe(DaemonOptions options, NodeIdentity identity, string version) => new()
    {
        Hostname = options.Hostname ?? HostName(),
        DataPlane = options.DataPlane == DataPlane.Classic ? NodeDescription.ClassicDataPlane : null,
        Platform = new Platform { Architecture = Architecture(), OS = "linux" },
        Resources = new ResourceAmounts { NanoCPUs = Environment.ProcessorCount * 1_000_000_000L, MemoryBytes = TotalMemory() },
        Engine = new EngineDescription
        {
            EngineVersion = version,
            Labels = options.Labels.Count == 0 ? null : options.Labels.Select(l => l.Split('=', 2)).ToDictionary(p => p[0], p => p.ElementAtOrDefault(1) ?? ""),
            Plugins = s_plugins,
        },
        TLSInfo = new TlsInfo
        {
            TrustRoot = identity.RootPem,
            CertIssuerSubject = identity.IssuerSubject,
            CertIssuerPublicKey = identity.IssuerPublicKey,
        },
    };

    public static string HostName() => File.ReadAllText("/proc/sys/kernel/hostname").Trim();

    /// <summary>As uname says it: x86_64, aarch64.</summary>
    public static string Architecture() => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "x86_64",
        System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>Bytes of memory that the machine has.</summary>
    public static long TotalMemory()
    {
        var line = File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemTotal:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
