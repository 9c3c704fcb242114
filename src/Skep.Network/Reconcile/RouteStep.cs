using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Routes;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Routes and the rules that choose among their tables.</summary>
internal static class RouteStep
{
    private const byte MadeByKernel = 2;
    private static readonly uint[] s_kernelPriorities = [0, 32766, 32767];

    public static void Apply(SpacePass pass)
    {
        ApplyRoutes(pass);
        ApplyRules(pass);
    }

    private static void ApplyRoutes(SpacePass pass)
    {
        var ours = pass.Links.Values.Select(l => l.Index).ToHashSet();
        var there = pass.Space.Routes.Routes()
            .Where(r => ours.Contains(r.LinkIndex) && r.Protocol != MadeByKernel && r.Type == (r.Table == WantedRoute.Local ? RouteType.Local : RouteType.Unicast))
            .DistinctBy(Key)
            .ToDictionary(Key, r => (r.Gateway, r.LinkIndex));
        var wanted = pass.Wanted.Routes.Select(r => (Wish: r, Route: Of(r, pass.IndexOf(r.Link)))).ToDictionary(w => Key(w.Route));
        var changes = Changes.Between(wanted.ToDictionary(w => w.Key, w => (w.Value.Route.Gateway, w.Value.Route.LinkIndex)), there);
        pass.Space.Change(batch =>
        {
            foreach (var (key, _) in changes.Set)
            {
                pass.Differs(RepairKind.Route, changes.CauseOf(key), $"route {WantedText.RouteText(wanted[key].Wish)} was {(there.ContainsKey(key) ? "different" : "missing")}");
                batch.AddRoute(wanted[key].Route);
            }

            foreach (var ((destination, table, _), (gateway, link)) in changes.Remove.Where(_ => pass.Exclusive))
            {
                pass.Differs(RepairKind.Route, RepairCause.NotOurs, $"route {destination?.ToString() ?? "default"} in table {table} was not wanted");
                batch.DeleteRoute(Of(destination, gateway, link, table));
            }
        });
    }

    /// <summary>A wish as the kernel is told of it.</summary>
    public static Route Of(WantedRoute wanted, int link) => Of(wanted.Destination, wanted.Gateway, link, wanted.Table);

    private static Route Of(IPNetwork? destination, IPAddress? gateway, int link, uint table)
    {
        var route = new Route(destination, gateway, link, table);
        return table == WantedRoute.Local ? route with { Type = RouteType.Local, Scope = RouteScope.Host } : route;
    }

    private static void ApplyRules(SpacePass pass)
    {
        var families = pass.Wanted.Rules.Concat(pass.Space.Applied?.Rules ?? []).Select(r => r.Family).Append(AddressFamily.InterNetwork).Distinct();
        var there = families.SelectMany(f => pass.Space.Routes.Rules(f))
            .Where(r => !s_kernelPriorities.Contains(r.Priority))
            .Distinct().ToDictionary(r => r, _ => true);
        var wanted = pass.Wanted.Rules.ToDictionary(r => new Rule(r.Family, r.From, r.Mark, r.Table, r.Priority), _ => true);
        var changes = Changes.Between(wanted, there);
        foreach (var (rule, _) in changes.Set)
        {
            pass.Differs(RepairKind.Rule, RepairCause.Missing, $"rule {Text(rule)} was missing");
            pass.Space.Routes.AddRule(rule);
        }

        // On the host only those that lead to our own table are ours.
        foreach (var (rule, _) in changes.Remove.Where(r => pass.Exclusive || (pass.Wanted.Kind == SpaceKind.Host && r.Key.Table == HostMesh.Table)))
        {
            pass.Differs(RepairKind.Rule, RepairCause.NotOurs, $"rule {Text(rule)} was not wanted");
            pass.Space.Routes.DeleteRule(rule);
        }
    }

    private static string Text(Rule rule) => WantedText.RuleText(new WantedRule(rule.Family, rule.From, rule.Mark, rule.Table, rule.Priority));

    private static (IPNetwork? Destination, uint Table, AddressFamily Family) Key(Route route) => (route.Destination, route.Table, route.Family);
}
