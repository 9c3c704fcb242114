using Microsoft.Extensions.Logging;
using Skep.Manager.Orchestration;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Rules;

namespace Skep.Manager.Allocation;

/// <summary>Says once in the log when a network and a node come to overlap: a node that joined later, or got another route.</summary>
public sealed class OverlapWatch
{
    private readonly HashSet<(string NetworkId, string NodeId, string Prefix)> _told = [];
    private readonly ILogger _logger;

    public OverlapWatch(StoreView view, ILogger logger)
    {
        _logger = logger;

        // A thousand nodes say the same few prefixes; only a network that overlaps one of those is looked at node by node.
        var prefixes = HostOverlaps.PrefixesOf(view.Nodes.Values).ToList();
        foreach (var network in view.Networks.Values.Where(n => HostOverlaps.Meets(n.Subnets, prefixes)))
        {
            Tell(network, view.Nodes.Values);
        }
    }

    public void Look(StoreEvent change, StoreView view)
    {
        switch (change.Subject)
        {
            case SwarmNetwork network when change.New is null:
                _told.RemoveWhere(t => t.NetworkId == network.Id);
                break;
            case SwarmNode node when change.New is null:
                _told.RemoveWhere(t => t.NodeId == node.Id);
                break;
            case SwarmNetwork network when (change.Old as SwarmNetwork)?.Subnets != network.Subnets:
                Tell(network, view.Nodes.Values);
                break;
            case SwarmNode node when !Same((change.Old as SwarmNode)?.Description?.Prefixes, node.Description?.Prefixes):
                foreach (var network in view.Networks.Values)
                {
                    Tell(network, [node]);
                }

                break;
        }
    }

    private static bool Same(IReadOnlyList<HostPrefix>? one, IReadOnlyList<HostPrefix>? other) => (one ?? []).SequenceEqual(other ?? []);

    private void Tell(SwarmNetwork network, IEnumerable<SwarmNode> nodes)
    {
        foreach (var overlap in HostOverlaps.Of(network.Subnets, nodes).Where(o => _told.Add((network.Id, o.Node.Id, o.Prefix.Prefix))))
        {
            _logger.NetworkOverlaps(network.Spec.Name, overlap);
        }
    }
}
