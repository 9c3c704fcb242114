using System.Globalization;
using System.Text.Json.Serialization;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.EngineApi.Networks;

/// <summary>GET /networks/{ref}, for the cluster's networks (scope swarm) and this node's (scope local).</summary>
public sealed record NetworkInspect(string Name, string Id, DateTimeOffset Created, string Scope, string Driver)
{
    public const string VniOption = "com.docker.network.driver.overlay.vxlanid_list";

    public bool EnableIPv4 { get; init; } = true;
    public bool EnableIPv6 { get; init; }
    public IpamShape IPAM { get; init; } = new("default", null, []);
    public bool Internal { get; init; }
    public bool Attachable { get; init; }
    public bool Ingress { get; init; }
    public ConfigFromShape ConfigFrom { get; init; } = new("");
    public bool ConfigOnly { get; init; }

    /// <summary>By container id; null in the cluster's view of a network that this node does not take part in.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyDictionary<string, EndpointResource>? Containers { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyDictionary<string, string>? Options { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public IReadOnlyList<PeerInfo>? Peers { get; init; }

    /// <summary>The cluster's view: nothing of any node.</summary>
    public static NetworkInspect Of(SwarmNetwork network) =>
        new(network.Spec.Name, network.Id, network.CreatedAt, "swarm", network.Spec.DriverConfiguration?.Name is { Length: > 0 } driver ? driver : "overlay")
        {
            EnableIPv4 = network.Spec.EnableIPv4,
            EnableIPv6 = network.Spec.EnableIPv6,
            IPAM = new IpamShape(
                network.Spec.IPAMOptions?.Driver?.Name is { Length: > 0 } ipam ? ipam : "default",
                network.Spec.IPAMOptions?.Driver?.Options,
                network.Subnets.Count > 0 ? network.Subnets : network.Spec.IPAMOptions?.Configs ?? []),
            Internal = network.Spec.Internal,
            Attachable = network.Spec.Attachable,
            Ingress = network.Spec.Ingress,
            Options = OptionsOf(network),
            Labels = network.Spec.Labels,
        };

    /// <summary>The user's driver options and, once it is allocated, the VXLAN identifier.</summary>
    public static IReadOnlyDictionary<string, string>? OptionsOf(SwarmNetwork network)
    {
        var options = new Dictionary<string, string>(network.Spec.DriverConfiguration?.Options ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        if (network.Vni != 0)
        {
            options[VniOption] = network.Vni.ToString(CultureInfo.InvariantCulture);
        }

        return options.Count == 0 ? null : options;
    }
}

/// <summary>Options null and Config empty are written so.</summary>
public sealed record IpamShape(
    string Driver,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyDictionary<string, string>? Options,
    IReadOnlyList<IpamConfig> Config);

public sealed record ConfigFromShape(string Network);

/// <summary>IPv4Address is a prefix: 10.0.1.5/24.</summary>
public sealed record EndpointResource(string Name, string EndpointID, string MacAddress, string IPv4Address, string IPv6Address);

public sealed record PeerInfo(string Name, string IP)
{
    /// <summary>Ours beside Docker's: null on a network in the clear and for the node that is asked.</summary>
    public PeerEncryption? Encryption { get; init; }
}

/// <summary>What the way to a peer of an encrypted network is sent with, and the bytes of all encrypted networks between the two nodes.</summary>
/// <param name="KeyMadeAt">Null while the node has not been told the keys.</param>
/// <param name="Keys">More than one while they change.</param>
/// <param name="SPI">Of the state to send with; - when there is none.</param>
/// <param name="Refused">Packets that did not open, came twice or too late.</param>
public sealed record PeerEncryption(DateTimeOffset? KeyMadeAt, int Keys, string SPI, ulong SentBytes, ulong ReceivedBytes, long Refused);
