using System.Globalization;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.FibRules;
using static Skep.Kernel.Netlink.Headers.RtNetlink;

namespace Skep.Kernel.Routes;

public sealed partial class RouteBatch
{
    /// <summary>Adds a route, or puts it in the place of the one with the same destination, table and priority.</summary>
    public void AddRoute(Route route) => WriteRoute(BeginSet(RTM_NEWROUTE, CreateOrReplace, () => $"add route {Text(route)}"), route);

    public void DeleteRoute(Route route) => WriteRoute(BeginDelete(RTM_DELROUTE, () => $"delete route {Text(route)}"), route);

    public void AddRule(Rule rule) => WriteRule(BeginAdd(RTM_NEWRULE, Create, () => $"add rule {Text(rule)}"), rule);

    public void DeleteRule(Rule rule) => WriteRule(BeginDelete(RTM_DELRULE, () => $"delete rule {Text(rule)}"), rule);

    private static string Text(Route route) =>
        $"{route.Destination?.ToString() ?? "default"} via {route.Gateway?.ToString() ?? "its link"} on link {route.LinkIndex} in table {route.Table}";

    private static string Text(Rule rule) =>
        $"{rule.Priority} from {rule.From?.ToString() ?? "all"} with mark {rule.Mark?.ToString(CultureInfo.InvariantCulture) ?? "any"} to table {rule.Table}";

    private void WriteRoute(NetlinkWriter.MessageToken message, Route route)
    {
        Writer.Header(new RtMessage
        {
            Family = AddressFamilies.Of(route.Family),
            DestinationLength = (byte)(route.Destination?.PrefixLength ?? 0),
            Tos = route.Tos,
            Table = SmallTable(route.Table),
            Protocol = route.Protocol,
            Scope = (byte)route.Scope,
            Type = (byte)route.Type,
        });
        if (route.Destination is { PrefixLength: > 0 } destination)
        {
            Writer.Attribute(RTA_DST, destination.BaseAddress);
        }

        if (route.Gateway is { } gateway)
        {
            Writer.Attribute(RTA_GATEWAY, gateway);
        }

        if (route.LinkIndex != 0)
        {
            Writer.Attribute(RTA_OIF, (uint)route.LinkIndex);
        }

        if (route.Source is { } source)
        {
            Writer.Attribute(RTA_PREFSRC, source);
        }

        if (route.Priority != 0)
        {
            Writer.Attribute(RTA_PRIORITY, route.Priority);
        }

        Writer.Attribute(RTA_TABLE, route.Table);
        Writer.EndMessage(message);
    }

    private void WriteRule(NetlinkWriter.MessageToken message, Rule rule)
    {
        if (rule.Foreign is { } foreign)
        {
            Writer.Payload(Convert.FromHexString(foreign));
            Writer.EndMessage(message);
            return;
        }

        Writer.Header(new FibRuleHeader
        {
            Family = AddressFamilies.Of(rule.Family),
            SourceLength = (byte)(rule.From?.PrefixLength ?? 0),
            Table = SmallTable(rule.Table),
            Action = FR_ACT_TO_TBL,
        });
        if (rule.From is { PrefixLength: > 0 } from)
        {
            Writer.Attribute(FRA_SRC, from.BaseAddress);
        }

        if (rule.Mark is { } mark)
        {
            Writer.Attribute(FRA_FWMARK, mark);
            Writer.Attribute(FRA_FWMASK, uint.MaxValue);
        }

        Writer.Attribute(FRA_PRIORITY, rule.Priority);
        Writer.Attribute(FRA_TABLE, rule.Table);
        Writer.EndMessage(message);
    }

    // The header's field has eight bits; a larger number stands in its attribute alone.
    private static byte SmallTable(uint table) => table <= byte.MaxValue ? (byte)table : RT_TABLE_UNSPEC;
}
