using Skep.Kernel.Namespaces;

namespace Skep.Kernel.Links;

/// <summary>What is to be different about a link; null leaves a thing as it is.</summary>
public sealed record LinkChange
{
    public bool? Up { get; init; }

    /// <summary>Bytes.</summary>
    public int? Mtu { get; init; }

    public string? Mac { get; init; }

    /// <summary>Index of the bridge it becomes a port of; 0 = of none.</summary>
    public int? Master { get; init; }

    public string? Name { get; init; }

    /// <summary>
    /// Where the link moves to. The kernel moves first and applies the rest there; a moved link is down and of no bridge, and may get another index.
    /// </summary>
    public NetworkNamespace? Namespace { get; init; }

    /// <summary>Up to 255 bytes; empty removes it.</summary>
    public string? Alias { get; init; }
}
