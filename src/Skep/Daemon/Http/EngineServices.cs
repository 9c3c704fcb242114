using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Daemon.Http.Events;
using Skep.Daemon.Swarm;
using Skep.Network;

namespace Skep.Daemon.Http;

/// <summary>Everything that the endpoints speak to.</summary>
public sealed record EngineServices
{
    public required ISwarmNode Swarm { get; init; }
    public required INodeNetwork Network { get; init; }
    public required IContainerRuntime Containers { get; init; }
    public required IImageStore Images { get; init; }
    public required EngineEvents Events { get; init; }
    public required TimeProvider Clock { get; init; }
    public required ILoggerFactory Logging { get; init; }

    /// <summary>What the daemon says of itself and its machine.</summary>
    public required EngineIdentity Identity { get; init; }
}
