using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Routes;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Routes and the rules that choose among their tables.</summary>
internal static class RouteStep
{
    private const byte MadeByKernel = 2;
    private const uint LocalTable = 255;
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
            .Where(r => ours.Contains(r.LinkIndex) && r.Protocol != MadeByKernel && r.Table != LocalTable && r.Type == RouteType.Unicast)
            .DistinctBy(Key)
            .ToDictionary(Key, r => (r.Gateway, r.LinkIndex));
        var wanted = pass.Wanted.Routes.Select(r => (Wish: r, Route: new Route(r.Destination, r.Gateway, pass.IndexOf(r.Link), r.Table))).ToList();
        var changes = Changes.Between(wanted.ToDictionary(w => Key(w.Route), w => (w.Route.Gateway, w.Route.LinkIndex)), there);
        foreach (var (key, _) in changes.Set)
        {
            var (wish, route) = wanted.First(w => Key(w.Route) == key);
            pass.Differs($"route {WantedText.RouteText(wish)} was {(there.ContainsKey(key) ? "different" : "missing")}");
            pass.Space.Routes.AddRoute(route);
        }

        foreach (var ((destination, table, _), (gateway, link)) in changes.Remove.Where(_ => pass.Exclusive))
        {
            pass.Differs($"route {destination?.ToString() ?? "default"} in table {table} was not wanted");
            pass.Space.Routes.DeleteRoute(new Route(destination, gateway, link, table));
        }
    }

    private static void ApplyRules(SpacePass pass)
    {
        var families = pass.Wanted.Rules.Select(r => r.Family).Append(AddressFamily.InterNetwork).Distinct();
        var there = families.SelectMany(f => pass.Space.Routes.Rules(f))
            .Where(r => !s_kernelPriorities.Contains(r.Priority))
            .Distinct().ToDictionary(r => r, _ => true);
        var wanted = pass.Wanted.Rules.ToDictionary(r => new Rule(r.Family, r.From, r.Mark, r.Table, r.Priority), _ => true);
        var changes = Changes.Between(wanted, there);
        foreach (var (rule, _) in changes.Set)
        {
            pass.Differs($"rule {Text(rule)} was missing");
            pass.Space.Routes.AddRule(rule);
        }

        foreach (var (rule, _) in changes.Remove.Where(_ => pass.Exclusive))
        {
            pass.Differs($"rule {Text(rule)} was not wanted");
            pass.Space.Routes.DeleteRule(rule);
        }
    }

    private static string Text(Rule rule) => WantedText.RuleText(new WantedRule(rule.Family, rule.From, rule.Mark, rule.Table, rule.Priority));

    private static (IPNetwork? Destination, uint Table, AddressFamily Family) Key(Route route) => (route.Destination, route.Table, route.Family);
}
