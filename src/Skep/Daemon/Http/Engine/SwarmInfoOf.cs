using Skep.Daemon.Http.Swarm;
using Skep.Daemon.Swarm;
using Skep.EngineApi.Engine;
using Skep.Model.Specs;

namespace Skep.Daemon.Http.Engine;

/// <summary>The Swarm part of <c>docker info</c>: what the CLI asks to know itself.</summary>
internal static class SwarmInfoOf
{
    public static SwarmInfo Build(ISwarmNode node, ManagerAccess manager)
    {
        var membership = node.Membership;
        var info = new SwarmInfo
        {
            NodeID = membership.NodeId,
            NodeAddr = membership.NodeAddress,
            LocalNodeState = membership.State,
            ControlAvailable = membership.ControlAvailable,
            Error = membership.Error,
            RemoteManagers = membership.RemoteManagers.Count == 0
                ? null
                : [.. membership.RemoteManagers.Select(m => new RemoteManager(m.NodeId, m.Address))],
        };
        if (manager.Find()?.View is not { Cluster: { } cluster } view)
        {
            return info;
        }

        var managers = view.Nodes.Values.Count(n => n.Spec.Role == NodeSpec.Manager);
        return info with
        {
            Nodes = view.Nodes.Count,
            Managers = managers,
            Cluster = SwarmAnswers.Of(cluster),
            Warnings = managers == 2
                ? ["Running Swarm in a two-manager configuration. This configuration provides no fault tolerance, and poses a high risk to lose control over the cluster."]
                : null,
        };
    }
}
