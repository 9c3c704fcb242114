using System.Globalization;
using Skep.EngineApi.Networks;
using Skep.Model.Plans;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Network;

namespace Skep.Daemon.Http.Networks;

/// <summary>This node's own networks: the three names that every engine has, and the gateway bridge while there is one.</summary>
internal static class LocalNetworks
{
    public const string GatewayBridge = "docker_gwbridge";

    private static readonly (string Name, string Driver)[] s_predefined = [("bridge", "bridge"), ("host", "host"), ("none", "null")];

    public static bool IsPredefined(string name) => s_predefined.Any(p => p.Name == name);

    public static IEnumerable<NetworkInspect> All(INodeNetwork network, EngineIdentity engine)
    {
        foreach (var (name, driver) in s_predefined)
        {
            yield return new NetworkInspect(name, IdOf(engine, name), default, "local", driver)
            {
                Containers = new Dictionary<string, EndpointResource>(),
                Options = new Dictionary<string, string>(),
                Labels = new Dictionary<string, string>(),
            };
        }

        if (network.DescribeGatewayBridge() is { } gateway)
        {
            yield return Bridge(gateway);
        }
    }

    /// <summary>The cluster's view of a network with what this node has of it.</summary>
    public static NetworkInspect WithLocalPart(NetworkInspect cluster, LocalNetwork? local) => local is null ? cluster : cluster with
    {
        Created = local.CreatedAt == default ? cluster.Created : local.CreatedAt,
        Containers = Endpoints(local),
        Peers = [.. local.Peers.Select(p => new PeerInfo(p.Hostname, p.Vtep))],
    };

    /// <summary>A network of the swarm as a worker knows it: what the managers told it, and its own part.</summary>
    public static NetworkInspect OfSwarm(LocalNetwork local)
    {
        var known = new NetworkInspect(local.Name, local.Id, local.CreatedAt, "swarm", "overlay")
        {
            Options = new Dictionary<string, string>(),
            Labels = new Dictionary<string, string>(),
        };
        return WithLocalPart(
            local.Plan is not { } plan ? known : known with
            {
                EnableIPv4 = local.Subnet.Length > 0,
                EnableIPv6 = plan.EnableIPv6,
                IPAM = new IpamShape("default", null, plan.Subnets),
                Internal = plan.Internal,
                Ingress = plan.Ingress,
                Options = OptionsOf(plan),
            },
            local);
    }

    /// <summary>An encrypted network with what the kernel says of the ways to its peers, which is read only for it.</summary>
    public static NetworkInspect WithEncryption(NetworkInspect network, Func<IReadOnlyList<EncryptedNetwork>> read)
    {
        if (network is not { Peers.Count: > 0, Options: { } options } || !options.ContainsKey(EncryptionRules.Option) || read().FirstOrDefault(n => n.Id == network.Id) is not { } encrypted)
        {
            return network;
        }

        var ways = encrypted.Peers.DistinctBy(p => p.Address).ToDictionary(
            p => p.Address, p => new PeerEncryption(encrypted.KeyMadeAt, encrypted.Keys, p.Spi, p.SentBytes, p.ReceivedBytes, p.Refused), StringComparer.Ordinal);
        return network with { Peers = [.. network.Peers.Select(p => p with { Encryption = ways.GetValueOrDefault(p.IP) })] };
    }

    private static Dictionary<string, string> OptionsOf(PlanNetwork plan)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [NetworkInspect.VniOption] = plan.Vni.ToString(CultureInfo.InvariantCulture),
        };
        if (plan.Encrypted)
        {
            options["encrypted"] = "";
        }

        return options;
    }

    private static NetworkInspect Bridge(LocalNetwork gateway) => new(gateway.Name, gateway.Id, gateway.CreatedAt, "local", "bridge")
    {
        IPAM = new IpamShape("default", null, 
        [
            new IpamConfig { Subnet = gateway.Subnet, Gateway = gateway.Gateway },
            .. gateway.Subnet6.Length > 0 ? new[] { new IpamConfig { Subnet = gateway.Subnet6, Gateway = gateway.Gateway6 } } : [],
        ]),
        EnableIPv6 = gateway.Subnet6.Length > 0,
        Containers = Endpoints(gateway),
        Options = new Dictionary<string, string>
        {
            ["com.docker.network.bridge.enable_icc"] = "false",
            ["com.docker.network.bridge.enable_ip_masquerade"] = "true",
            ["com.docker.network.bridge.name"] = GatewayBridge,
        },
        Labels = new Dictionary<string, string>(),
    };

    private static Dictionary<string, EndpointResource> Endpoints(LocalNetwork network) => network.Endpoints.ToDictionary(
        e => e.Key, e => new EndpointResource(e.Name, e.EndpointId, e.Mac, e.Address, e.Address6), StringComparer.Ordinal);

    // These networks are words more than things; their ids only have to be theirs and to stay.
    private static string IdOf(EngineIdentity engine, string name) => Convert.ToHexStringLower(
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{engine.Id}/{name}")));
}
