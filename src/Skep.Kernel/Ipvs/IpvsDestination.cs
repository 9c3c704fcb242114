using System.Net;

namespace Skep.Kernel.Ipvs;

/// <summary>A real server behind a mark, with address translation (Masq). Weight 0 takes no new flows and keeps the old ones.</summary>
public sealed record IpvsDestination(IPAddress Address, uint Weight)
{
    /// <summary>Flows that are open now; only when read.</summary>
    public uint ActiveConnections { get; init; }

    /// <summary>Flows that have ended and are still remembered; only when read.</summary>
    public uint InactiveConnections { get; init; }
}
