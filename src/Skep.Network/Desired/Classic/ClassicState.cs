using System.Collections.Immutable;

namespace Skep.Network.Desired.Classic;

/// <summary>
/// The data plane as Docker Swarm has it, of iptables and IPVS: the same links, neighbours and tunnels as with nftables, but chains
/// DOCKER-INGRESS on the host, marks and IPVS in ingress_sbox and in a load balancer's namespace per network, and the load balancer's
/// address in place of the client's. Recomputed as a whole on every change.
/// </summary>
internal static class ClassicState
{
    private static readonly ImmutableSortedDictionary<ShareKey, WantedShare> s_noShares = ImmutableSortedDictionary<ShareKey, WantedShare>.Empty;

    public static ImmutableArray<WantedParts> Parts(NodeView node, IReadOnlyList<NetworkView> networks, NetworkView? ingress)
    {
        var spaces = ImmutableArray.CreateBuilder<WantedSpace>();
        spaces.Add(ClassicHost.Of(node, networks, ingress));
        foreach (var network in networks)
        {
            spaces.Add(ClassicOverlay.Of(network));
            if (ClassicBalancer.AddressOn(network) is not null)
            {
                spaces.Add(ClassicBalancer.Of(network));
            }
        }

        if (ingress is not null)
        {
            spaces.Add(ClassicIngress.Of(ingress));
        }

        spaces.AddRange(node.Sandboxes.Values.Select(s => ClassicContainer.Of(node, s, networks)));
        return [.. spaces.Select(s => new WantedParts(s, s_noShares))];
    }

    /// <summary>
    /// The services that this node balances, each with its mark: a VIP on an overlay network, published ports on ingress. The
    /// marks are this node's own numbers (256 and up).
    /// </summary>
    public static IEnumerable<(Skep.Model.Plans.PlanService Service, uint Mark)> Marked(NetworkView network) =>
        from service in network.Plan.Services.Values
        where service.Vips.Count > 0
        let mark = network.Facts.Marks.GetValueOrDefault(KeyOf(network.Network.Id, service.ServiceId))
        where mark > 0
        orderby mark
        select (service, mark);

    /// <summary>Everything on this node that needs a mark.</summary>
    public static IEnumerable<string> Keys(NodeView node) =>
        from network in DesiredState.Carried(node)
        from service in (node.Plan.Networks.GetValueOrDefault(network.Id)?.Services.Values ?? []).OrderBy(s => s.ServiceId, StringComparer.Ordinal)
        where service.Vips.Count > 0
        select KeyOf(network.Id, service.ServiceId);

    /// <summary>What a mark is for.</summary>
    public static string KeyOf(string networkId, string serviceId) => $"{networkId}/{serviceId}";
}
