using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.Neighbours;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

public sealed partial class RouteNetlink
{
    /// <summary>IPv4 and IPv6 routes of one table, or of all (null).</summary>
    public IReadOnlyList<Route> Routes(uint? table = null)
    {
        // The kernel could filter too, but refuses a table that does not exist yet.
        var routes = Read(Dump(RTM_GETROUTE, default(RtMessage)), RouteParser.Parse, "read the routes");
        return table is null ? routes : routes.FindAll(route => route.Table == table);
    }

    /// <inheritdoc cref="RouteBatch.AddRoute"/>
    public void AddRoute(Route route) => Change(batch => batch.AddRoute(route));

    public bool DeleteRoute(Route route) => Change(batch => batch.DeleteRoute(route));

    public IReadOnlyList<Rule> Rules(AddressFamily family) =>
        Read(Dump(RTM_GETRULE, new FibRuleHeader { Family = AddressFamilies.Of(family) }), RuleParser.Parse, "read the rules");

    public bool AddRule(Rule rule) => Change(batch => batch.AddRule(rule));

    public bool DeleteRule(Rule rule) => Change(batch => batch.DeleteRule(rule));

    /// <summary>IPv4 and IPv6 neighbours of one link, or of all (null).</summary>
    public IReadOnlyList<Neighbour> Neighbours(int? linkIndex = null)
    {
        var request = Dump(RTM_GETNEIGH, default(NeighbourMessage), writer =>
        {
            if (linkIndex is { } index)
            {
                writer.Attribute(NDA_IFINDEX, (uint)index);
            }
        });
        return Read(request, NeighbourParser.ParseNeighbour, "read the neighbours");
    }

    /// <inheritdoc cref="RouteBatch.SetNeighbour"/>
    public void SetNeighbour(int index, IPAddress address, string mac) => Change(batch => batch.SetNeighbour(index, address, mac));

    public bool DeleteNeighbour(int index, IPAddress address) => Change(batch => batch.DeleteNeighbour(index, address));

    /// <summary>The forwarding entries of one VXLAN device or bridge port: its own and its bridge's.</summary>
    public IReadOnlyList<FdbEntry> Fdb(int linkIndex)
    {
        var header = new NeighbourMessage { Family = AddressFamilies.AF_BRIDGE, Index = linkIndex };
        return Read(Dump(RTM_GETNEIGH, header), NeighbourParser.ParseFdb, $"read the forwarding entries of link {linkIndex}");
    }

    /// <inheritdoc cref="RouteBatch.SetFdb"/>
    public void SetFdb(int index, string mac, IPAddress vtep) => Change(batch => batch.SetFdb(index, mac, vtep));

    /// <inheritdoc cref="RouteBatch.DeleteFdb"/>
    public bool DeleteFdb(int index, string mac) => Change(batch => batch.DeleteFdb(index, mac));
}
