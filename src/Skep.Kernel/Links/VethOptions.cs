namespace Skep.Kernel.Links;

/// <summary>A new pair of connected links; what is null stays as the kernel makes it.</summary>
public sealed record VethOptions
{
    /// <summary>Bytes.</summary>
    public int? Mtu { get; init; }

    /// <summary>Bytes.</summary>
    public int? PeerMtu { get; init; }

    public string? Mac { get; init; }

    public string? PeerMac { get; init; }
}
