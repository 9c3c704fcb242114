namespace Skep.Network.Probes;

/// <summary>What one survey of the way to a peer has shown.</summary>
internal sealed record PeerSigns
{
    /// <summary>Small echoes come back through the tunnel.</summary>
    public bool Tunnel { get; init; }

    /// <summary>The peer's node answers on the underlay itself.</summary>
    public bool Underlay { get; init; }

    /// <summary>Frames of the peer arrived lately, its questions or its answers.</summary>
    public bool Heard { get; init; }

    /// <summary>Echoes as long as the overlay's MTU come back through the tunnel.</summary>
    public bool Full { get; init; } = true;

    /// <summary>Datagrams whose checksum the node's card fills in reach the peer; null = not known, since the peer's daemon does not answer.</summary>
    public bool? Summed { get; init; }
}
