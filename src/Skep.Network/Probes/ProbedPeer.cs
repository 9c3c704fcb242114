using System.Net;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network.Probes;

/// <summary>A node on the ingress network that is not this one.</summary>
/// <param name="NodeId">Its id.</param>
/// <param name="Name">Its hostname, or its id while it has none.</param>
/// <param name="Vtep">Its address on the underlay.</param>
/// <param name="Ingress">Its ingress_sbox.</param>
/// <param name="Watched">It has backends of services that this node balances.</param>
internal sealed record ProbedPeer(string NodeId, string Name, IPAddress Vtep, IPAddress Ingress, bool Watched)
{
    /// <summary>The peers of the ingress network, by node id.</summary>
    public static IReadOnlyList<ProbedPeer> Of(NodePlan plan)
    {
        var ingress = plan.Networks.Values.FirstOrDefault(n => n.Network.Ingress);
        if (ingress is null)
        {
            return [];
        }

        var used = plan.Networks.Values.SelectMany(n => n.Endpoints.Values).Where(e => e.ServiceId.Length > 0).Select(e => e.NodeId).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. from peer in ingress.Peers.Values
               where peer.NodeId != plan.NodeId && peer.IngressAddress is not null
               orderby peer.NodeId
               select new ProbedPeer(
                   peer.NodeId, peer.Hostname.Length > 0 ? peer.Hostname : peer.NodeId, Addressing.AddressOf(peer.Vtep), Addressing.AddressOf(peer.IngressAddress!), used.Contains(peer.NodeId)),
        ];
    }
}
