using System.Collections.Immutable;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>From plan, sandboxes and node to everything that the kernel must hold. Pure.</summary>
public static class DesiredState
{
    /// <summary>A host without anything of ours.</summary>
    public static readonly WantedNode Nothing = new([new WantedSpace(WantedSpace.Host, SpaceKind.Host)]);

    public static WantedNode Compute(NodeView node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var networks = Carried(node).Select(n => new NetworkView(node, n)).ToList();
        var ingress = networks.Find(n => n.OwnIngressAddress is not null);
        var spaces = ImmutableArray.CreateBuilder<WantedSpace>();
        spaces.Add(HostSpace.Of(node, networks, ingress));
        spaces.AddRange(networks.Select(OverlaySpace.Of));
        if (ingress is not null)
        {
            spaces.Add(IngressSpace.Of(ingress));
        }

        spaces.AddRange(node.Sandboxes.Values.Select(s => ContainerSpace.Of(node, s, networks)));
        return new WantedNode(spaces.ToImmutable());
    }

    /// <summary>The networks that have a place on this node: those with a local sandbox, and ingress once the node has its address there.</summary>
    public static IReadOnlyList<PlanNetwork> Carried(NodeView node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var carried = new SortedDictionary<string, PlanNetwork>(StringComparer.Ordinal);
        foreach (var attachment in node.Sandboxes.Values.SelectMany(s => s.Request.Attachments))
        {
            carried[attachment.Network.Id] = attachment.Network;
        }

        foreach (var plan in node.Plan.Networks.Values)
        {
            var network = plan.Network;
            if (carried.ContainsKey(network.Id) || new NetworkView(node, network).OwnIngressAddress is not null)
            {
                carried[network.Id] = network;
            }
        }

        return [.. carried.Values];
    }
}
