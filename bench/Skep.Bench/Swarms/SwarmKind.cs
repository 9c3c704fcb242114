namespace Skep.Bench.Swarms;

/// <summary>Whose swarm it is.</summary>
public enum SwarmKind
{
    Skep,

    /// <summary>A Docker Swarm of Debian's <c>docker.io</c>.</summary>
    Peer,
}
