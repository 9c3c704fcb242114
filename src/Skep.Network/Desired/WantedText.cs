using System.Globalization;
using System.Text;

namespace Skep.Network.Desired;

/// <summary>A namespace's wish as text: for tests, for the log, and to see whether two wishes are the same.</summary>
internal static class WantedText
{
    public static string Of(WantedSpace space)
    {
        var text = new StringBuilder();
        Line(text, $"space {(space.Name.Length == 0 ? "host" : space.Name)}");
        foreach (var link in space.Links)
        {
            Line(text, $"  link {link.Name}{LinkText(link)}");
        }

        foreach (var end in space.Ends)
        {
            Line(text, $"  end {end.Name} {end.Mac} mtu {end.Mtu}");
        }

        Lines(text, space.Sysctls, s => $"sysctl {s.Name}={s.Value}{(s.Once ? " once" : "")}");
        Lines(text, space.Addresses, a => $"address {a.Address}/{a.PrefixLength} dev {a.Link}");
        Lines(text, space.Routes, r => $"route {RouteText(r)}");
        Lines(text, space.Rules, r => $"rule {RuleText(r)}");
        Lines(text, space.Neighbours, n => $"neighbour {n.Address} {n.Mac} dev {n.Link}");
        Lines(text, space.Forwarding, f => $"forward {f.Mac} dev {f.Link}{(f.Vtep is null ? "" : $" to {f.Vtep}")}");
        if (space.Esp is { } esp)
        {
            Line(text, $"  esp udp {esp.Port} keys {(esp.KeysKnown ? $"known: {string.Join(' ', esp.Keys)}" : "as they are")}");
            Lines(text, esp.Peers, p => $"  {p}");
        }

        foreach (var table in space.Tables)
        {
            TableText(text, table);
        }

        foreach (var balancer in space.Balancers)
        {
            Line(text, $"  balancer {balancer.Family} of {(balancer.ByPort ? "ports" : "addresses")}");
            Lines(text, space.Balances.Where(b => b.Family == balancer.Family), b => "  " + BalanceText(b));
        }

        Lines(text, space.Iptables.SelectMany(c => c.Rules.Prepend("").Select(r => (Chain: c, Rule: r))), i => $"iptables -t {i.Chain.Table} -A {i.Chain.Name} {i.Rule}");
        Lines(text, space.VirtualServers, v => $"mark {v.Mark} rr {string.Join(' ', v.Servers.Select(s => $"{s.Key}*{s.Value}"))}");

        return text.ToString();
    }

    public static string BalanceText(WantedBalance balance) =>
        $"{balance.Key} {balance.Chain} to {string.Join(", ", balance.Backends)}{(balance.Port is null ? "" : $" port {balance.Port}")}";

    public static string RouteText(WantedRoute route) =>
        $"{(route.IsLocal ? "local " : "")}{route.Destination?.ToString() ?? "default"}{(route.Gateway is null ? "" : $" via {route.Gateway}")} dev {route.Link}"
        + (route.Table is WantedRoute.Main or WantedRoute.Local ? "" : $" table {route.Table}");

    public static string RuleText(WantedRule rule) =>
        $"{(rule.From is { } from ? $"from {from}" : $"fwmark 0x{rule.Mark:x}")} lookup {rule.Table} priority {rule.Priority}";

    private static string LinkText(WantedLink link)
    {
        var text = new StringBuilder();
        text.Append(link switch
        {
            { Tunnel: { } tunnel } => $" vxlan {tunnel.Vni} port {tunnel.Port} local {tunnel.Local}{(tunnel.Encrypted ? " encrypted" : "")}",
            { FarEnd: { } end } => $" to {end.Space}/{end.Name} {end.Mac}",
            _ => $" bridge {link.Mac}",
        });
        text.Append(CultureInfo.InvariantCulture, $" mtu {link.Mtu}");
        text.Append(link.Master is null ? "" : $" master {link.Master}");
        text.Append(link.Hairpin ? " hairpin" : "").Append(link.Isolated ? " isolated" : "").Append(link.Locked ? " locked" : "").Append(link.Learning ? " learning" : "");
        return text.ToString();
    }

    private static void TableText(StringBuilder text, WantedTable table)
    {
        Line(text, $"  table {table.Family} {table.Name}");
        foreach (var set in table.Sets)
        {
            Line(text, $"    {set.Kind} {set.Name} {{ type {set.Type} }}");
            foreach (var element in set.Elements)
            {
                Line(text, $"      {element}");
            }
        }

        foreach (var chain in table.Chains)
        {
            Line(text, $"    chain {chain.Name}{(chain.Hook is null ? "" : $" {{ {chain.Hook} }}")}");
            foreach (var rule in chain.Rules)
            {
                Line(text, $"      {rule}");
            }
        }
    }

    private static void Lines<T>(StringBuilder text, IEnumerable<T> items, Func<T, string> format)
    {
        foreach (var item in items)
        {
            Line(text, "  " + format(item));
        }
    }

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
