namespace Skep.Kernel.Links;

/// <summary>Settings of a bridge; null leaves a thing as it is, and is what a kernel without it tells.</summary>
public sealed record BridgeChange
{
    /// <summary>Ports pass only frames of the VLANs that are allowed on them.</summary>
    public bool? VlanFiltering { get; init; }

    /// <summary>The spanning tree protocol decides which ports pass frames.</summary>
    public bool? Stp { get; init; }

    /// <summary>Multicast goes only to ports that asked for it.</summary>
    public bool? McastSnooping { get; init; }
}
