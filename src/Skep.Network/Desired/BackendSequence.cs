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
        var alive = Active(service, endpoints, nodeId, family);
        // Never without the last one standing: an address that answers nobody is no worse than none at all.
        if (ejected.Count > 0 && alive.Exists(b => !ejected.Contains(b.Address)))
        {
            alive.RemoveAll(b => ejected.Contains(b.Address));
        }

        if (service.Balance?.Mode == BalanceMode.LocalFirst && alive.Exists(b => b.Here))
        {
            alive.RemoveAll(b => !b.Here);
        }

        alive.Sort(static (one, other) => string.CompareOrdinal(one.TaskId, other.TaskId));
        return WeightedTurns.Of(alive.ConvertAll(static b => (b.Address, b.Weight)));
    }

    private static List<Backend> Active(PlanService service, IEnumerable<PlanEndpoint> endpoints, string nodeId, AddressFamily family)
    {
        var active = new List<Backend>();
        foreach (var endpoint in endpoints)
        {
            if (endpoint.State == EndpointState.Active && service.WeightOf(endpoint.ServiceId) is > 0 and var weight && AddressOf(endpoint, family) is { } address)
            {
                active.Add(new Backend(endpoint.TaskId, address, weight, endpoint.NodeId == nodeId));
            }
        }

        return active;
    }

    /// <summary>The address of one family by which an endpoint is led to; null when it has none.</summary>
    internal static IPAddress? AddressOf(PlanEndpoint endpoint, AddressFamily family)
    {
        foreach (var prefix in endpoint.Addresses)
        {
            if (Addressing.IsSix(prefix) == (family == AddressFamily.InterNetworkV6))
            {
                return Addressing.AddressOf(prefix);
            }
        }

        return null;
    }

    private readonly record struct Backend(string TaskId, IPAddress Address, int Weight, bool Here);
}
