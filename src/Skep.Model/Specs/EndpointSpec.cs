namespace Skep.Model.Specs;

public sealed record EndpointSpec
{
    public const string Vip = "vip";
    public const string DnsRoundRobin = "dnsrr";

    /// <summary>vip (the default, also when null or empty) or dnsrr.</summary>
    public string? Mode { get; init; }

    public IReadOnlyList<PortConfig>? Ports { get; init; }
}

public sealed record PortConfig
{
    public const string Ingress = "ingress";
    public const string Host = "host";

    public string? Name { get; init; }

    /// <summary>tcp (the default), udp or sctp.</summary>
    public string? Protocol { get; init; }

    public uint TargetPort { get; init; }

    /// <summary>0 or null: the managers choose one of 30000–32767 (ingress), or the node's kernel an ephemeral one (host).</summary>
    public uint? PublishedPort { get; init; }

    /// <summary>ingress (the default) or host.</summary>
    public string? PublishMode { get; init; }
}
