using Skep.Manager.Store;
using Skep.Manager.Dispatch;
using Skep.Model.Specs;

namespace Skep.Daemon.Swarm;

/// <summary>This machine's part in a swarm: none, worker or manager. Refusals carry Docker's sentences and kinds.</summary>
public interface ISwarmNode
{
    SwarmMembership Membership { get; }

    /// <summary>The manager's side; null on a worker and outside a swarm.</summary>
    ManagerPart? Manager { get; }

    /// <summary>Makes a new swarm with this machine as its first manager and returns the node's id when the control API answers.</summary>
    Task<string> InitAsync(SwarmInit request, CancellationToken cancellationToken);

    /// <summary>Joins; returns when the node is ready, or fails after 20 s while the attempt goes on in the background.</summary>
    Task JoinAsync(SwarmJoin request, CancellationToken cancellationToken);

    /// <summary>Leaves: tasks are removed, networks taken down, identity and state deleted.</summary>
    Task LeaveAsync(bool force, CancellationToken cancellationToken);
}

/// <summary>What lives in a manager's process while it is one.</summary>
public sealed record ManagerPart(IClusterStore Store, IServiceLogs Logs)
{
    public required bool IsLeader { get; init; }
}

public sealed record SwarmMembership
{
    /// <summary>inactive, pending, active, error or locked.</summary>
    public string State { get; init; } = "inactive";

    public string NodeId { get; init; } = "";
    public string NodeAddress { get; init; } = "";
    public bool ControlAvailable { get; init; }
    public string Error { get; init; } = "";
    public IReadOnlyList<(string NodeId, string Address)> RemoteManagers { get; init; } = [];
}

public sealed record SwarmInit
{
    public string ListenAddress { get; init; } = "0.0.0.0:2377";
    public string AdvertiseAddress { get; init; } = "";
    public string DataPathAddress { get; init; } = "";
    public uint DataPathPort { get; init; }
    public IReadOnlyList<string> DefaultAddressPool { get; init; } = [];
    public int SubnetSize { get; init; }
    public string Availability { get; init; } = "";
    public bool ForceNewCluster { get; init; }
    public bool AutoLock { get; init; }
    public ClusterSpec Spec { get; init; } = new();
}

public sealed record SwarmJoin
{
    public string ListenAddress { get; init; } = "0.0.0.0:2377";
    public string AdvertiseAddress { get; init; } = "";
    public string DataPathAddress { get; init; } = "";
    public IReadOnlyList<string> RemoteAddresses { get; init; } = [];
    public string Token { get; init; } = "";
    public string Availability { get; init; } = "";
}
