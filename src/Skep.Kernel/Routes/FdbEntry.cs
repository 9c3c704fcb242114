using System.Net;

namespace Skep.Kernel.Routes;

/// <summary>An entry of a forwarding database: where an Ethernet address lives (bridge(8)).</summary>
/// <param name="LinkIndex">The VXLAN device or bridge port.</param>
/// <param name="Mac">The Ethernet address; 00:00:00:00:00:00 is where a VXLAN sends what it does not know.</param>
/// <param name="Vtep">The host behind a VXLAN device.</param>
/// <param name="Self">Whether the device itself holds the entry; if not, its bridge does.</param>
/// <param name="Permanent">Whether it never ages.</param>
public sealed record FdbEntry(int LinkIndex, string Mac, IPAddress? Vtep, bool Self, bool Permanent)
{
    /// <summary>It leads to another port or network of that host, or over another link, than the VXLAN device's others.</summary>
    public bool Deviates { get; init; }
}
