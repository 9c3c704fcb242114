using System.Net;

namespace Skep.Kernel.Links;

/// <summary>A VXLAN device (RFC 7348). Its outer packets belong to the namespace it is made in, wherever it is moved later.</summary>
public sealed record VxlanOptions
{
    /// <summary>The network's number, 24 bits.</summary>
    public required uint Vni { get; init; }

    /// <summary>UDP port of the outer packets.</summary>
    public ushort Port { get; init; } = 4789;

    /// <summary>Source address of the outer packets; null lets the routes choose.</summary>
    public IPAddress? Local { get; init; }

    /// <summary>Whether it learns where a MAC lives from the packets that arrive.</summary>
    public bool Learning { get; init; }

    /// <summary>Whether it answers ARP and neighbour discovery from its own neighbour table.</summary>
    public bool Proxy { get; init; }

    public bool L2Miss { get; init; }

    public bool L3Miss { get; init; }

    /// <summary>Bytes; null stays as the kernel makes it, and in a device that is read (see <see cref="Link.Mtu"/>).</summary>
    public int? Mtu { get; init; }
}
