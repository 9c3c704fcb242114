using System.Collections.Immutable;
using System.Net;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network.Ejection;

/// <summary>Whose backend an address is, by the plan. Each network's part is made anew when its endpoints change and somebody asks.</summary>
internal sealed class BackendIndex
{
    private readonly Dictionary<string, (ImmutableDictionary<string, PlanEndpoint> Of, Dictionary<IPAddress, PlanEndpoint> ByAddress, ILookup<string, PlanEndpoint> ByService)> _known =
        new(StringComparer.Ordinal);

    /// <summary>The endpoint with that address; null when it is no service's.</summary>
    public PlanEndpoint? Find(NodePlan plan, IPAddress address)
    {
        foreach (var network in plan.Networks.Values)
        {
            if (Of(network).ByAddress.TryGetValue(address, out var endpoint))
            {
                return endpoint;
            }
        }

        return null;
    }

    /// <summary>Every address of the endpoint's service on its network, its own too.</summary>
    public IEnumerable<IPAddress> Siblings(NodePlan plan, PlanEndpoint endpoint) =>
        plan.Networks.TryGetValue(endpoint.NetworkId, out var network)
            ? Of(network).ByService[endpoint.ServiceId].SelectMany(Addresses)
            : [];

    private (ImmutableDictionary<string, PlanEndpoint> Of, Dictionary<IPAddress, PlanEndpoint> ByAddress, ILookup<string, PlanEndpoint> ByService) Of(NetworkPlan network)
    {
        if (!_known.TryGetValue(network.Network.Id, out var known) || !ReferenceEquals(known.Of, network.Endpoints))
        {
            var byAddress = new Dictionary<IPAddress, PlanEndpoint>();
            foreach (var endpoint in network.Endpoints.Values.Where(e => e.ServiceId.Length > 0))
            {
                foreach (var address in Addresses(endpoint))
                {
                    byAddress[address] = endpoint;
                }
            }

            known = (network.Endpoints, byAddress, network.Endpoints.Values.ToLookup(e => e.ServiceId, StringComparer.Ordinal));
            _known[network.Network.Id] = known;
        }

        return known;
    }

    private static IEnumerable<IPAddress> Addresses(PlanEndpoint endpoint) => endpoint.Addresses.Select(Addressing.AddressOf);
}
