namespace Skep.Model.Specs;

/// <summary>What a user wants of a cluster network.</summary>
public sealed record NetworkSpec
{
    public string Name { get; init; } = "";
    public IReadOnlyDictionary<string, string> Labels { get; init; } = EmptyMap.Strings;
    public Driver? DriverConfiguration { get; init; }
    public bool EnableIPv4 { get; init; } = true;
    public bool EnableIPv6 { get; init; }
    public bool Internal { get; init; }
    public bool Attachable { get; init; }
    public bool Ingress { get; init; }
    public IpamOptions? IPAMOptions { get; init; }
}

public sealed record IpamOptions
{
    public Driver? Driver { get; init; }
    public IReadOnlyList<IpamConfig>? Configs { get; init; }
}

/// <summary>One subnet. Subnet and IPRange are prefixes in CIDR form, Gateway an address; all as text.</summary>
public sealed record IpamConfig
{
    public string? Subnet { get; init; }
    public string? IPRange { get; init; }
    public string? Gateway { get; init; }
    public IReadOnlyDictionary<string, string>? AuxiliaryAddresses { get; init; }
}
