using Skep.Model.Objects;

namespace Skep.Daemon.Swarm;

/// <summary>What a member of a swarm has: its folder, who it is, where it listens, and how it describes itself.</summary>
internal sealed record MemberContext(string Folder, NodeIdentity Identity, SwarmState State)
{
    public required Func<NodeDescription> Describe { get; init; }
    public required Action<IReadOnlyList<(string NodeId, string Address)>> ManagersChanged { get; init; }
}
