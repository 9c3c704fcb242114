using System.Text.Json.Serialization;
using Skep.EngineApi.Swarm;

namespace Skep.EngineApi.Engine;

/// <summary>GET /info: the machine, the engine and its part in a swarm.</summary>
public sealed record InfoAnswer
{
    public required string ID { get; init; }
    public int Containers { get; init; }
    public int ContainersRunning { get; init; }
    public int ContainersPaused { get; init; }
    public int ContainersStopped { get; init; }
    public int Images { get; init; }
    public required string Driver { get; init; }
    public IReadOnlyList<IReadOnlyList<string>> DriverStatus { get; init; } = [];
    public required PluginsInfo Plugins { get; init; }
    public bool MemoryLimit { get; init; }
    public bool SwapLimit { get; init; }
    public bool CpuCfsPeriod { get; init; }
    public bool CpuCfsQuota { get; init; }
    public bool CPUShares { get; init; }
    public bool CPUSet { get; init; }
    public bool PidsLimit { get; init; }
    public bool IPv4Forwarding { get; init; }
    public bool Debug { get; init; }
    public int NFd { get; init; }
    public bool OomKillDisable { get; init; }
    public int NGoroutines { get; init; }
    public required string SystemTime { get; init; }
    public string LoggingDriver { get; init; } = "json-file";
    public required string CgroupDriver { get; init; }

    /// <summary>1 or 2.</summary>
    public required string CgroupVersion { get; init; }

    public int NEventsListener { get; init; }
    public required string KernelVersion { get; init; }
    public required string OperatingSystem { get; init; }
    public string OSVersion { get; init; } = "";
    public string OSType { get; init; } = "linux";

    /// <summary>As uname names it: x86_64, aarch64.</summary>
    public required string Architecture { get; init; }

    public string IndexServerAddress { get; init; } = "https://index.docker.io/v1/";
    public required RegistryInfo RegistryConfig { get; init; }
    public int NCPU { get; init; }

    /// <summary>Bytes.</summary>
    public long MemTotal { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<string>? GenericResources { get; init; }

    public required string DockerRootDir { get; init; }
    public string HttpProxy { get; init; } = "";
    public string HttpsProxy { get; init; } = "";
    public string NoProxy { get; init; } = "";
    public required string Name { get; init; }
    public IReadOnlyList<string> Labels { get; init; } = [];
    public bool ExperimentalBuild { get; init; }
    public required string ServerVersion { get; init; }
    public IReadOnlyDictionary<string, RuntimeInfo> Runtimes { get; init; } = new Dictionary<string, RuntimeInfo> { ["runc"] = new("runc") };
    public string DefaultRuntime { get; init; } = "runc";
    public required SwarmInfo Swarm { get; init; }
    public bool LiveRestoreEnabled { get; init; }
    public string Isolation { get; init; } = "";
    public string InitBinary { get; init; } = "";
    public required CommitInfo ContainerdCommit { get; init; }
    public required CommitInfo RuncCommit { get; init; }
    public CommitInfo InitCommit { get; init; } = new("");
    public IReadOnlyList<string> SecurityOptions { get; init; } = [];

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<string>? Warnings { get; init; }
}

public sealed record PluginsInfo
{
    public IReadOnlyList<string> Volume { get; init; } = [];
    public IReadOnlyList<string> Network { get; init; } = [];

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<string>? Authorization { get; init; }

    public IReadOnlyList<string> Log { get; init; } = [];
}

public sealed record RegistryInfo
{
    public IReadOnlyList<string> InsecureRegistryCIDRs { get; init; } = [];
    public IReadOnlyDictionary<string, IndexInfo> IndexConfigs { get; init; } = new Dictionary<string, IndexInfo>();
    public IReadOnlyList<string> Mirrors { get; init; } = [];
}

public sealed record IndexInfo(string Name, IReadOnlyList<string> Mirrors, bool Secure, bool Official);

public sealed record RuntimeInfo([property: JsonPropertyName("path")] string Path);

public sealed record CommitInfo(string ID);

/// <summary>LocalNodeState is inactive, pending, active, error or locked; Cluster is there on managers that reach the store.</summary>
public sealed record SwarmInfo
{
    public string NodeID { get; init; } = "";
    public string NodeAddr { get; init; } = "";
    public required string LocalNodeState { get; init; }
    public bool ControlAvailable { get; init; }
    public string Error { get; init; } = "";

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<RemoteManager>? RemoteManagers { get; init; }

    public int? Nodes { get; init; }
    public int? Managers { get; init; }
    public SwarmInspect? Cluster { get; init; }
    public IReadOnlyList<string>? Warnings { get; init; }
}

public sealed record RemoteManager(string NodeID, string Addr);
