namespace Skep.Kernel.Links;

/// <summary>Settings of a bridge port; null leaves a thing as it is.</summary>
public sealed record BridgePortChange
{
    /// <summary>Frames may leave through the port they came in by.</summary>
    public bool? Hairpin { get; init; }

    /// <summary>The bridge learns addresses from this port's frames.</summary>
    public bool? Learning { get; init; }

    /// <summary>Isolated ports do not talk to each other.</summary>
    public bool? Isolated { get; init; }

    /// <summary>Frames for an address that the bridge does not know leave by this port, too.</summary>
    public bool? UnicastFlood { get; init; }

    /// <summary>Multicast that nobody asked for leaves by this port, too.</summary>
    public bool? McastFlood { get; init; }

    /// <summary>Broadcast leaves by this port, too.</summary>
    public bool? BcastFlood { get; init; }

    /// <summary>The port passes frames (BR_STATE_FORWARDING). Only of a port with a carrier can it be changed; one without passes none.</summary>
    public bool? Forwards { get; init; }

    /// <summary>Only frames whose source is known to be behind this port come in by it (Linux 5.18).</summary>
    public bool? Locked { get; init; }

    /// <summary>ARP and neighbour discovery are answered by the bridge where it can, and not flooded to this port.</summary>
    public bool? NeighSuppress { get; init; }
}
