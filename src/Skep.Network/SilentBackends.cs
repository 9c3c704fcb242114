using System.Collections.Immutable;
using System.Net;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network;

/// <summary>The addresses of tasks on nodes that do not answer; nearly always none. Computed again only when plan or nodes are others.</summary>
internal sealed class SilentBackends
{
    private (NodePlan? Plan, ImmutableHashSet<string>? Nodes, ImmutableHashSet<IPAddress> Addresses) _last = (null, null, []);

    public ImmutableHashSet<IPAddress> Of(NodePlan plan, ImmutableHashSet<string> silentNodes)
    {
        if (silentNodes.IsEmpty)
        {
            return ImmutableHashSet<IPAddress>.Empty;
        }

        if (!ReferenceEquals(_last.Plan, plan) || !ReferenceEquals(_last.Nodes, silentNodes))
        {
            _last = (plan, silentNodes, [.. silentNodes.SelectMany(n => On(plan, n))]);
        }

        return _last.Addresses;
    }

    /// <summary>The addresses of tasks on one node.</summary>
    public static ImmutableHashSet<IPAddress> On(NodePlan plan, string nodeId) =>
        [.. plan.Networks.Values.SelectMany(n => n.Endpoints.Values).Where(e => e.NodeId == nodeId).SelectMany(e => e.Addresses).Select(Addressing.AddressOf)];
}
