namespace Skep.Kernel.Links;

/// <summary>A new bridge; what is null stays as the kernel makes it.</summary>
public sealed record BridgeOptions
{
    /// <summary>Bytes.</summary>
    public int? Mtu { get; init; }

    public string? Mac { get; init; }

    /// <summary>The VLAN of untagged frames; 0 turns it off.</summary>
    public ushort? DefaultPvid { get; init; }

    public bool? VlanFiltering { get; init; }

    public bool? McastSnooping { get; init; }
}
