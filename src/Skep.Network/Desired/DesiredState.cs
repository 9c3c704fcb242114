using System.Collections.Immutable;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>From plan, sandboxes and node to everything that the kernel must hold. Pure.</summary>
public static class DesiredState
{
    /// <summary>A host without anything of ours.</summary>
    public static readonly WantedNode Nothing =
        new([new WantedParts(new WantedSpace(WantedSpace.Host, SpaceKind.Host), ImmutableSortedDictionary<ShareKey, WantedShare>.Empty)]);

    /// <summary>The wish of every namespace: a frame, and a share for each peer, service, endpoint and sandbox.</summary>
    public static WantedNode Compute(NodeView node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return new(Parts(node, Networks(node)));
    }

    internal static ImmutableArray<NetworkView> Networks(NodeView node) => [.. Carried(node).Select(n => new NetworkView(node, n))];

    internal static ImmutableArray<WantedParts> Parts(NodeView node, ImmutableArray<NetworkView> networks)
    {
        var ingress = networks.FirstOrDefault(n => n.OwnIngressAddress is not null);
        if (node.Facts.Classic)
        {
            return Classic.ClassicState.Parts(node, networks, ingress);
        }

        var spaces = ImmutableArray.CreateBuilder<WantedParts>();
        spaces.Add(HostSpace.Of(node, networks, ingress));
        spaces.AddRange(networks.Select(OverlaySpace.Of));
        if (ingress is not null)
        {
            spaces.Add(IngressSpace.Of(ingress));
        }

        spaces.AddRange(node.Sandboxes.Values.Select(s => new WantedParts(ContainerSpace.Of(node, s, networks), ContainerSpace.Shares(s, networks))));
        return spaces.ToImmutable();
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
