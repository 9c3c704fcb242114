using Skep.Network.Desired;

namespace Skep.Network;

/// <summary>What this node has of a network, for <c>docker network inspect</c>.</summary>
internal static class NetworkDescription
{
    private const string IngressKey = "ingress-sbox";

    public static LocalNetwork? Of(NodeView node, string networkId, DateTimeOffset createdAt)
    {
        if (DesiredState.Carried(node).FirstOrDefault(n => n.Id == networkId) is not { } network)
        {
            return null;
        }

        var view = new NetworkView(node, network);
        var endpoints = view.Locals
            .Select(s => Endpoint(s.Request.ContainerId, s.Request.Name, networkId, view.AddressesOf(s)[0]))
            .ToList();
        if (view.OwnIngressAddress is { } own)
        {
            endpoints.Add(Endpoint(IngressKey, "ingress-endpoint", networkId, own));
        }

        return new LocalNetwork(networkId, network.Name)
        {
            CreatedAt = createdAt,
            Subnet = network.Subnets.Count > 0 ? network.Subnets[0].Subnet ?? "" : "",
            Gateway = view.Gateways.Select(g => g.Address.ToString()).FirstOrDefault() ?? "",
            Endpoints = endpoints,
            Peers = [.. view.Plan.Peers.Values.OrderBy(p => p.NodeId, StringComparer.Ordinal)],
        };
    }

    public static LocalNetwork OfGatewayBridge(NodeView node, string id, DateTimeOffset createdAt)
    {
        var subnet = node.Facts.GatewaySubnet;
        var endpoints = node.Sandboxes.Values
            .Where(s => s.GatewayAddress is not null)
            .Select(s => Endpoint(s.Request.ContainerId, $"gateway_{s.SpaceName}", id, s.GatewayAddress!))
            .ToList();
        if (DesiredState.Carried(node).Any(n => new NetworkView(node, n).OwnIngressAddress is not null))
        {
            endpoints.Add(Endpoint(IngressKey, "gateway_ingress-sbox", id, $"{node.Facts.IngressGatewayAddress}/{subnet.PrefixLength}"));
        }

        return new LocalNetwork(id, SpaceNames.GatewayBridge)
        {
            CreatedAt = createdAt,
            Subnet = subnet.ToString(),
            Gateway = node.Facts.GatewayAddress.ToString(),
            Endpoints = endpoints,
        };
    }

    private static LocalEndpoint Endpoint(string key, string name, string networkId, string address) =>
        new(key, name, SandboxDescription.EndpointId(key, networkId), Addressing.MacOf(Addressing.AddressOf(address)), address);
}
