using Skep.Kernel.Links;

namespace Skep.Kernel.Routes;

/// <summary>Something changed in a namespace's tables, or (<see cref="Overrun"/>) more changed than could be told.</summary>
/// <param name="Removed">Whether the thing is gone; if not, it is new or different.</param>
/// <param name="PortId">The socket whose request made the change (<see cref="RouteNetlink.PortId"/>), which the kernel tells for addresses, routes and rules; 0 = not told, or the kernel by itself.</param>
public abstract record RouteNotice(bool Removed, uint PortId)
{
    public sealed record LinkNotice(Link Link, bool Removed, uint PortId) : RouteNotice(Removed, PortId);

    /// <summary>The settings of a bridge's port; which ones, the kernel does not tell here.</summary>
    public sealed record PortNotice(int LinkIndex, uint PortId) : RouteNotice(false, PortId);

    public sealed record AddressNotice(LinkAddress Address, bool Removed, uint PortId) : RouteNotice(Removed, PortId);

    public sealed record RoutingNotice(Route Route, bool Removed, uint PortId) : RouteNotice(Removed, PortId);

    public sealed record RuleNotice(Rule Rule, bool Removed, uint PortId) : RouteNotice(Removed, PortId);

    public sealed record NeighbourNotice(Neighbour Neighbour, bool Removed, uint PortId) : RouteNotice(Removed, PortId);

    public sealed record FdbNotice(FdbEntry Entry, bool Removed, uint PortId) : RouteNotice(Removed, PortId);

    /// <summary>Notices were lost; only reading everything tells what is true.</summary>
    public sealed record Overrun() : RouteNotice(false, 0);
}
