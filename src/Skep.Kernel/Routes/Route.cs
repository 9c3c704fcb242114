using System.Net;
using System.Net.Sockets;

namespace Skep.Kernel.Routes;

/// <summary>
/// A route (RTM_NEWROUTE, rtnetlink(7)). What is left out is what the kernel would choose, so that a route that is read equals the one that was added.
/// </summary>
/// <param name="Destination">Null = default. For an IPv6 default without a gateway write ::/0, which tells the family.</param>
/// <param name="Gateway">Null = the destination is on the link.</param>
/// <param name="LinkIndex">0 = none, as for a blackhole.</param>
/// <param name="Table">254 = main, 255 = local.</param>
public sealed record Route(IPNetwork? Destination, IPAddress? Gateway, int LinkIndex, uint Table = Route.MainTable)
{
    public const uint MainTable = 254;

    public AddressFamily Family =>
        Destination?.BaseAddress.AddressFamily ?? Gateway?.AddressFamily ?? Source?.AddressFamily ?? AddressFamily.InterNetwork;

    /// <summary>The source address that the route proposes (RTA_PREFSRC).</summary>
    public IPAddress? Source { get; init; }

    public RouteType Type { get; init; } = RouteType.Unicast;

    /// <summary>IPv4 knows how far a destination is; IPv6 always says <see cref="RouteScope.Universe"/>.</summary>
    public RouteScope Scope { get; init; } =
        Gateway is null && LinkIndex != 0 && Destination?.BaseAddress.AddressFamily != AddressFamily.InterNetworkV6
            ? RouteScope.Link
            : RouteScope.Universe;

    /// <summary>Smaller wins. IPv6 makes 1024 of 0.</summary>
    public uint Priority { get; init; } =
        (Destination?.BaseAddress ?? Gateway)?.AddressFamily == AddressFamily.InterNetworkV6 ? 1024u : 0u;

    /// <summary>The type of service that it is for alone; only of IPv4.</summary>
    public byte Tos { get; init; }

    /// <summary>Who made it: 2 = the kernel, 3 = boot, 4 = static (linux/rtnetlink.h).</summary>
    public byte Protocol { get; init; } = 4;
}
