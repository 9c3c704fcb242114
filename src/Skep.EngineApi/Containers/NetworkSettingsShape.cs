namespace Skep.EngineApi.Containers;

/// <summary>The network part of GET /containers/{ref}/json. SandboxKey is the path of the network namespace.</summary>
public sealed record NetworkSettingsShape(string SandboxID, string SandboxKey, IReadOnlyDictionary<string, EndpointShape> Networks)
{
    public string Bridge { get; init; } = "";
    public bool HairpinMode { get; init; }
    public string LinkLocalIPv6Address { get; init; } = "";
    public int LinkLocalIPv6PrefixLen { get; init; }

    /// <summary>By port and protocol (80/tcp); null for a port that is exposed and not published.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<PortBinding>?> Ports { get; init; } = new Dictionary<string, IReadOnlyList<PortBinding>?>();

    public string EndpointID { get; init; } = "";
    public string Gateway { get; init; } = "";
    public string GlobalIPv6Address { get; init; } = "";
    public int GlobalIPv6PrefixLen { get; init; }
    public string IPAddress { get; init; } = "";
    public int IPPrefixLen { get; init; }
    public string IPv6Gateway { get; init; } = "";
    public string MacAddress { get; init; } = "";
}

public sealed record PortBinding(string HostIp, string HostPort);

/// <summary>A container's place on one network.</summary>
public sealed record EndpointShape(string NetworkID, string EndpointID)
{
    public EndpointIpam? IPAMConfig { get; init; }
    public IReadOnlyList<string>? Links { get; init; }
    public IReadOnlyList<string>? Aliases { get; init; }
    public string MacAddress { get; init; } = "";
    public IReadOnlyDictionary<string, string>? DriverOpts { get; init; }
    public string Gateway { get; init; } = "";
    public string IPAddress { get; init; } = "";
    public int IPPrefixLen { get; init; }
    public string IPv6Gateway { get; init; } = "";
    public string GlobalIPv6Address { get; init; } = "";
    public int GlobalIPv6PrefixLen { get; init; }
    public IReadOnlyList<string>? DNSNames { get; init; }
}

public sealed record EndpointIpam(string? IPv4Address, string? IPv6Address);
