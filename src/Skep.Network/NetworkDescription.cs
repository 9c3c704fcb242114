using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network;

/// <summary>What this node has of a network, for <c>docker network inspect</c>.</summary>
internal static class NetworkDescription
{
    private const string IngressKey = "ingress-sbox";

    public static IReadOnlyList<LocalNetwork> All(NodeView node, DateTimeOffset createdAt) =>
        [.. DesiredState.Carried(node).Select(network => Of(node, network, createdAt))];

    public static LocalNetwork? Of(NodeView node, string networkId, DateTimeOffset createdAt) =>
        DesiredState.Carried(node).FirstOrDefault(n => n.Id == networkId) is { } network ? Of(node, network, createdAt) : null;

    private static LocalNetwork Of(NodeView node, PlanNetwork network, DateTimeOffset createdAt)
    {
        var networkId = network.Id;
        var view = new NetworkView(node, network);
        var endpoints = view.Locals
            .Select(s => Endpoint(s.Request.ContainerId, s.Request.Name, networkId, view.AddressesOf(s)))
            .ToList();
        if (view.OwnIngressAddress is { } own)
        {
            endpoints.Add(Endpoint(IngressKey, "ingress-endpoint", networkId, view.OwnIngressAddress6 is { } six ? [own, six] : [own]));
        }

        if (node.Facts.Classic && Desired.Classic.ClassicBalancer.AddressOn(view) is { } balancer)
        {
            endpoints.Add(Endpoint($"lb-{network.Name}", $"{network.Name}-endpoint", networkId, [balancer]));
        }

        return new LocalNetwork(networkId, network.Name)
        {
            CreatedAt = createdAt,
            Subnet = SubnetOf(AddressFamily.InterNetwork),
            Gateway = GatewayOf(AddressFamily.InterNetwork),
            Subnet6 = SubnetOf(AddressFamily.InterNetworkV6),
            Gateway6 = GatewayOf(AddressFamily.InterNetworkV6),
            Endpoints = endpoints,
            Plan = network,
            Peers = [.. view.Plan.Peers.Values.OrderBy(p => p.NodeId, StringComparer.Ordinal)],
        };

        string SubnetOf(AddressFamily family) =>
            network.Subnets.Select(s => s.Subnet).OfType<string>().FirstOrDefault(s => Addressing.IsSix(s) == (family == AddressFamily.InterNetworkV6)) ?? "";

        string GatewayOf(AddressFamily family) => view.Gateways.FirstOrDefault(g => g.Address.AddressFamily == family).Address?.ToString() ?? "";
    }

    public static LocalNetwork OfGatewayBridge(NodeView node, string id, DateTimeOffset createdAt)
    {
        var subnet = node.Facts.GatewaySubnet;
        var endpoints = node.Sandboxes.Values
            .Where(s => s.GatewayAddress is not null)
            .Select(s => Endpoint(s.Request.ContainerId, $"gateway_{s.SpaceName}", id, [s.GatewayAddress!, .. Six(node.Facts.GatewayAddress6Of(s))]))
            .ToList();
        if (DesiredState.Carried(node).Any(n => new NetworkView(node, n).OwnIngressAddress is not null))
        {
            var six = DesiredState.Carried(node).Any(n => new NetworkView(node, n).OwnIngressAddress6 is not null) ? node.Facts.IngressGatewayAddress6 : null;
            endpoints.Add(Endpoint(IngressKey, "gateway_ingress-sbox", id, [$"{node.Facts.IngressGatewayAddress}/{subnet.PrefixLength}", .. Six(six)]));
        }

        return new LocalNetwork(id, SpaceNames.GatewayBridge)
        {
            CreatedAt = createdAt,
            Subnet = subnet.ToString(),
            Gateway = node.Facts.GatewayAddress.ToString(),
            Subnet6 = node.Facts.GatewaySubnet6?.ToString() ?? "",
            Gateway6 = node.Facts.GatewayAddress6?.ToString() ?? "",
            Endpoints = endpoints,
        };

        IEnumerable<string> Six(IPAddress? address) => address is null ? [] : [$"{address}/{node.Facts.GatewaySubnet6!.Value.PrefixLength}"];
    }

    private static LocalEndpoint Endpoint(string key, string name, string networkId, IReadOnlyList<string> addresses) =>
        new(key, name, SandboxDescription.EndpointId(key, networkId), Addressing.MacOf(Addressing.AddressOf(addresses[0])), addresses.FirstOrDefault(a => !Addressing.IsSix(a)) ?? "")
        {
            Address6 = addresses.FirstOrDefault(Addressing.IsSix) ?? "",
        };
}
