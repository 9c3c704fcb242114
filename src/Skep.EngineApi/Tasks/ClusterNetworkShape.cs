using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.EngineApi.Tasks;

/// <summary>A network as it stands in a task's attachments: the cluster's object, not the node's.</summary>
public sealed record ClusterNetworkShape(string ID, ObjectVersion Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public required ClusterNetworkSpecShape Spec { get; init; }
    public required Driver DriverState { get; init; }
    public required IpamOptions IPAMOptions { get; init; }

    public static ClusterNetworkShape Of(SwarmNetwork network) => new(network.Id, ObjectVersion.Of(network), network.CreatedAt, network.UpdatedAt)
    {
        Spec = ClusterNetworkSpecShape.Of(network.Spec),
        DriverState = new Driver
        {
            Name = network.Spec.DriverConfiguration?.Name ?? "overlay",
            Options = network.Vni == 0 ? null : Networks.NetworkInspect.OptionsOf(network),
        },
        IPAMOptions = new IpamOptions { Driver = new Driver { Name = network.Spec.IPAMOptions?.Driver?.Name ?? "default" }, Configs = network.Subnets },
    };
}

/// <summary>The wish; what is false is absent.</summary>
public sealed record ClusterNetworkSpecShape(string Name, IReadOnlyDictionary<string, string> Labels, Driver DriverConfiguration)
{
    public bool? IPv6Enabled { get; init; }
    public bool? Internal { get; init; }
    public bool? Attachable { get; init; }
    public bool? Ingress { get; init; }
    public IpamOptions? IPAMOptions { get; init; }
    public string Scope { get; init; } = "swarm";

    public static ClusterNetworkSpecShape Of(NetworkSpec spec) => new(spec.Name, spec.Labels, spec.DriverConfiguration ?? new Driver())
    {
        IPv6Enabled = TrueOrAbsent(spec.EnableIPv6),
        Internal = TrueOrAbsent(spec.Internal),
        Attachable = TrueOrAbsent(spec.Attachable),
        Ingress = TrueOrAbsent(spec.Ingress),
        IPAMOptions = spec.IPAMOptions,
    };

    private static bool? TrueOrAbsent(bool value) => value ? true : null;
}
