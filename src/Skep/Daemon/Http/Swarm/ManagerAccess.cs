using Skep.Daemon.Swarm;
using Skep.Manager.Control;
using Skep.Manager.Store;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Swarm;

/// <summary>The way to the cluster's state, or the sentence that says why there is none from here.</summary>
internal sealed class ManagerAccess(ISwarmNode node, TimeProvider clock)
{
    private const string NotAManager = "This node is not a swarm manager. ";
    private readonly Lock _gate = new();
    private IClusterStore? _store;
    private ClusterControl? _control;

    /// <summary>Null on a node that is no manager.</summary>
    public ClusterControl? Find()
    {
        if (node.Manager is not { } manager)
        {
            return null;
        }

        lock (_gate)
        {
            if (!ReferenceEquals(_store, manager.Store))
            {
                _store = manager.Store;
                _control = new ClusterControl(manager.Store, clock);
            }

            return _control;
        }
    }

    public ClusterControl Require() => Find() ?? throw Refusal(node.Membership);

    public ManagerPart RequirePart() => node.Manager ?? throw Refusal(node.Membership);

    internal static ClusterException Refusal(SwarmMembership membership) => new(ErrorKind.Unavailable, membership switch
    {
        { State: "locked" } => "Swarm is encrypted and needs to be unlocked before it can be used. Please use \"docker swarm unlock\" to unlock it.",
        { State: "inactive" } =>
            NotAManager + "Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.",
        { State: "active", ControlAvailable: false } =>
            NotAManager + "Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
        _ => NotAManager + "Manager is being prepared or has trouble connecting to the cluster.",
    });
}
