using System.Net;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network;

/// <summary>Which endpoints drain in a plan that did not in the one before, by the namespace that balances to them.</summary>
internal static class DrainingEndpoints
{
    /// <param name="node">The plan and the node.</param>
    /// <param name="before">The plan before.</param>
    /// <param name="delta">What may differ from it; null when that is not known.</param>
    public static IEnumerable<(string Space, IReadOnlySet<IPAddress> Addresses)> Of(NodeView node, NodePlan? before, PlanDelta? delta)
    {
        foreach (var (id, network) in node.Plan.Networks)
        {
            var known = before?.Networks.GetValueOrDefault(id);
            if (ReferenceEquals(known, network))
            {
                continue;
            }

            var endpoints = delta is null
                ? network.Endpoints.Values
                : delta.Keys.Where(k => k.Part == PlanPart.Endpoint && k.NetworkId == id).Select(k => network.Endpoints.GetValueOrDefault(k.Id)).OfType<PlanEndpoint>();
            var addresses = endpoints
                .Where(e => e.State == EndpointState.Draining && known?.Endpoints.GetValueOrDefault(e.TaskId)?.State != EndpointState.Draining)
                .SelectMany(e => e.Addresses.Select(Addressing.AddressOf))
                .ToHashSet();
            if (addresses.Count > 0)
            {
                // Flows to published ports are translated on the host, and in ingress_sbox with the classic data plane.
                var mesh = node.Facts.Classic ? WantedSpace.IngressSandbox : WantedSpace.Host;
                yield return (network.Network.Ingress ? mesh : new NetworkView(node, network.Network).SpaceName, addresses);
            }
        }
    }
}
