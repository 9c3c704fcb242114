using System.Collections.Immutable;

namespace Skep.Network.Desired;

/// <summary>How large packets between the nodes may be. A value; the newest replaces the one before.</summary>
/// <param name="LinkMtu">Bytes that this node's own link carries.</param>
public sealed record Underlay(int LinkMtu)
{
    /// <summary>Bytes that the way to a node carries, by node id, where that was found out.</summary>
    public ImmutableDictionary<string, int> PathMtus { get; init; } = ImmutableDictionary<string, int>.Empty;
}
