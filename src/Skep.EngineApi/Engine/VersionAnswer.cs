namespace Skep.EngineApi.Engine;

/// <summary>GET /version.</summary>
public sealed record VersionAnswer
{
    public required PlatformName Platform { get; init; }
    public required IReadOnlyList<VersionComponent> Components { get; init; }
    public required string Version { get; init; }
    public required string ApiVersion { get; init; }
    public required string MinAPIVersion { get; init; }
    public string GitCommit { get; init; } = "";
    public string GoVersion { get; init; } = "";
    public string Os { get; init; } = "linux";

    /// <summary>As Go names it: amd64, arm64.</summary>
    public required string Arch { get; init; }

    public string KernelVersion { get; init; } = "";
    public string BuildTime { get; init; } = "";
}

public sealed record PlatformName(string Name);

public sealed record VersionComponent(string Name, string Version, IReadOnlyDictionary<string, string> Details);
