using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

/// <summary>Follows the changes to a namespace's links, addresses, routes, rules, neighbours and forwarding entries.</summary>
public static class RouteMonitor
{
    /// <summary>
    /// The changes from this call on: the socket listens when the method returns, so tables that are read after it miss nothing.
    /// Ends by cancellation with <see cref="OperationCanceledException"/>.
    /// </summary>
    /// <param name="ns">Where.</param>
    /// <param name="ownPort">The number of a socket (<see cref="RouteNetlink.PortId"/>) whose changes are not told; 0 = all are.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static IAsyncEnumerable<RouteNotice> FollowAsync(NetworkNamespace ns, uint ownPort, CancellationToken cancellationToken)
    {
        var listener = NetlinkListener.Open(
            NetlinkProtocol.Route, ns,
            RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
            RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE);
        if (ownPort != 0)
        {
            listener.Ignore(ownPort);
        }

        return listener.FollowAsync(Parse, new RouteNotice.Overrun(), cancellationToken);
    }

    private static RouteNotice? Parse(NetlinkMessage message) => message.Type switch
    {
        RTM_NEWLINK or RTM_DELLINK when LinkParser.Parse(message) is { } link =>
            new RouteNotice.LinkNotice(link, message.Type == RTM_DELLINK, message.PortId),
        RTM_NEWLINK when LinkParser.PortOf(message) is { } port => new RouteNotice.PortNotice(port, message.PortId),
        RTM_NEWADDR or RTM_DELADDR when AddressParser.Parse(message) is { } address =>
            new RouteNotice.AddressNotice(address, message.Type == RTM_DELADDR, message.PortId),
        RTM_NEWROUTE or RTM_DELROUTE when RouteParser.Parse(message) is { } route =>
            new RouteNotice.RoutingNotice(route, message.Type == RTM_DELROUTE, message.PortId),
        RTM_NEWRULE or RTM_DELRULE when RuleParser.Parse(message) is { } rule =>
            new RouteNotice.RuleNotice(rule, message.Type == RTM_DELRULE, message.PortId),
        RTM_NEWNEIGH or RTM_DELNEIGH when NeighbourParser.IsFdb(message) =>
            NeighbourParser.ParseFdb(message) is { } entry
                ? new RouteNotice.FdbNotice(entry, message.Type == RTM_DELNEIGH, message.PortId)
                : null,
        RTM_NEWNEIGH or RTM_DELNEIGH when NeighbourParser.ParseNeighbour(message) is { } neighbour =>
            new RouteNotice.NeighbourNotice(neighbour, message.Type == RTM_DELNEIGH, message.PortId),
        _ => null,
    };
}
