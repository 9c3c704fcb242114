using System.Net;
using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Daemon.Supervision;
using Skep.Manager.Store;
using Skep.Network;

namespace Skep.Daemon.Swarm;

/// <summary>What a member is built from.</summary>
public sealed record SwarmParts
{
    public required DaemonOptions Options { get; init; }
    public required IContainerRuntime Runtime { get; init; }
    public required IImageStore Images { get; init; }

    /// <summary>Makes the node's data plane for a member: its node id and its data path address.</summary>
    public required Func<string, IPAddress, NodeNetwork> Network { get; init; }

    /// <summary>Watches over the member's loops: one that ends on its own ends the daemon, which starts anew.</summary>
    public required LoopSupervisor Loops { get; init; }

    /// <summary>Runs beside the manager's part for as long as it lives: what wants to hear of every commit.</summary>
    public required Func<IClusterStore, CancellationToken, Task> FollowStore { get; init; }

    public required TimeProvider Clock { get; init; }
    public required ILoggerFactory Logging { get; init; }
    public required string Version { get; init; }

    internal ILogger Log => Logging.CreateLogger("Skep.Daemon.Swarm");
}
