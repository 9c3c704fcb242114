using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// Which addresses a service's new flows go to, one after the other. The one place that decides it: nftables in the overlay
/// namespaces, on the host and for the relay, and every other balancer, take their turns from this sequence.
/// </summary>
public static class BackendSequence
{
    /// <summary>
    /// The addresses of one family in turn, in an order that does not change with time; an address may stand several times: that is its
    /// weight. Local-first is decided here; random and affinity are the balancer's to do with this sequence
    /// (<see cref="PlanBalance.Mode"/>).
    /// </summary>
    /// <param name="service">Says how to balance.</param>
    /// <param name="endpoints">The endpoints on one network, of any state, of all of <see cref="PlanService.ServedBy"/>.</param>
    /// <param name="nodeId">The node that balances.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="ejected">Addresses that this node has found dead; not heeded when they are all there is.</param>
    public static ImmutableArray<IPAddress> Of(
        PlanService service, IEnumerable<PlanEndpoint> endpoints, string nodeId, AddressFamily family, IReadOnlySet<IPAddress> ejected)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(nodeId);
        ArgumentNullException.ThrowIfNull(ejected);
        ImmutableArray<Backend> active =
        [
            .. from endpoint in endpoints.Where(e => e.State == EndpointState.Active).OrderBy(e => e.TaskId, StringComparer.Ordinal)
               let weight = service.WeightOf(endpoint.ServiceId)
               let address = AddressOf(endpoint, family)
               where weight > 0 && address is not null
               select new Backend(address, weight, endpoint.NodeId == nodeId),
        ];

        // Never without the last one standing: an address that answers nobody is no worse than none at all.
        var alive = ejected.Count == 0 ? active : active.RemoveAll(b => ejected.Contains(b.Address));
        alive = alive.IsEmpty ? active : alive;
        if (service.Balance?.Mode == BalanceMode.LocalFirst && alive.RemoveAll(b => !b.Here) is { IsEmpty: false } here)
        {
            alive = here;
        }

        return WeightedTurns.Of([.. alive.Select(b => (b.Address, b.Weight))]);
    }

    private static IPAddress? AddressOf(PlanEndpoint endpoint, AddressFamily family) =>
        endpoint.Addresses.Select(Addressing.AddressOf).FirstOrDefault(a => a.AddressFamily == family);

    private readonly record struct Backend(IPAddress Address, int Weight, bool Here);
}
