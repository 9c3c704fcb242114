using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Routes;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Routes and the rules that choose among their tables.</summary>
internal static class RouteStep
{
    private const byte MadeByKernel = 2;

    // What every namespace begins with: its own addresses, the main table, and in IPv4 the default one.
    private static readonly (uint Priority, uint Table)[] s_beginnings = [(0, 255), (32766, Route.MainTable), (32767, 253)];

    public static void Apply(SpacePass pass)
    {
        ApplyRoutes(pass);
        ApplyRules(pass);
    }

    private static void ApplyRoutes(SpacePass pass)
    {
        var wanted = pass.Wanted.Routes.Select(r => (Wish: r, Route: Of(r, pass.IndexOf(r.Link)))).ToDictionary(w => Key(w.Route));
        var there = pass.Space.Routes.Routes()
            .Where(r => r.Protocol != MadeByKernel && (IsOurs(pass, r.Table) || wanted.ContainsKey(Key(r))))
            .ToLookup(Key);
        var wrong = wanted.Where(w => !there[w.Key].Any(r => LeadsAs(r, w.Value.Route))).Select(w => w.Key).ToHashSet();
        pass.Space.Change(batch =>
        {
            foreach (var key in wrong)
            {
                var (wish, route) = wanted[key];
                var cause = there.Contains(key) ? RepairCause.Changed : RepairCause.Missing;
                pass.Differs(RepairKind.Route, cause, $"route {WantedText.RouteText(wish)} was {(cause == RepairCause.Changed ? "different" : "missing")}");
                batch.AddRoute(route);
            }

            // One in the place of a wish was replaced.
            foreach (var route in there.Where(g => !wrong.Contains(g.Key)).SelectMany(g => g)
                .Where(r => IsOurs(pass, r.Table) && !(wanted.TryGetValue(Key(r), out var wish) && LeadsAs(r, wish.Route))))
            {
                pass.Differs(RepairKind.Route, RepairCause.NotOurs, $"route {route.Destination?.ToString() ?? "default"} in table {route.Table} was not wanted");
                batch.DeleteRoute(route);
            }
        });
    }

    /// <summary>A wish as the kernel is told of it.</summary>
    public static Route Of(WantedRoute wanted, int link)
    {
        var route = new Route(wanted.Destination, wanted.Gateway, link, wanted.Table);
        return wanted.IsLocal ? route with { Type = RouteType.Local, Scope = RouteScope.Host } : route;
    }

    private static void ApplyRules(SpacePass pass)
    {
        var families = pass.Wanted.Rules.Concat(pass.Space.Applied?.Rules ?? []).Select(r => r.Family)
            .Concat(pass.Wanted.Addresses.Select(a => a.Address.AddressFamily)).Append(AddressFamily.InterNetwork).Distinct().ToList();
        var there = families.SelectMany(f => pass.Space.Routes.Rules(f)).Distinct().ToDictionary(r => r, _ => true);
        var wanted = pass.Wanted.Rules.Select(r => new Rule(r.Family, r.From, r.Mark, r.Table, r.Priority))
            .Concat(pass.Exclusive ? families.SelectMany(Beginnings) : []).ToDictionary(r => r, _ => true);
        var changes = Changes.Between(wanted, there);
        foreach (var (rule, _) in changes.Set)
        {
            pass.Differs(RepairKind.Rule, RepairCause.Missing, $"rule {Text(rule)} was missing");
            pass.Space.Routes.AddRule(rule);
        }

        foreach (var (rule, _) in changes.Remove.Where(r => IsOurs(pass, r.Key.Table)))
        {
            pass.Differs(RepairKind.Rule, RepairCause.NotOurs, $"rule {Text(rule)} was not wanted");
            pass.Space.Routes.DeleteRule(rule);
        }
    }

    private static IEnumerable<Rule> Beginnings(AddressFamily family) =>
        s_beginnings.Take(family == AddressFamily.InterNetwork ? 3 : 2).Select(b => new Rule(family, null, null, b.Table, b.Priority));

    // On the host only our own table is, with the rules that lead to it.
    private static bool IsOurs(SpacePass pass, uint table) => pass.Exclusive || (pass.Wanted.Kind == SpaceKind.Host && table == HostMesh.Table);

    private static bool LeadsAs(Route there, Route wish) => (there.Gateway, there.LinkIndex, there.Type).Equals((wish.Gateway, wish.LinkIndex, wish.Type));

    private static string Text(Rule rule) => string.Create(
        CultureInfo.InvariantCulture,
        $"{rule.Priority} from {rule.From?.ToString() ?? "all"}{(rule.Mark is { } mark ? $" fwmark 0x{mark:x}" : "")} lookup {rule.Table}{(rule.Foreign is null ? "" : " with more conditions")}");

    // What the kernel tells routes to one place apart by.
    private static (IPNetwork? Destination, uint Table, AddressFamily Family, uint Priority, byte Tos) Key(Route route) =>
        (route.Destination, route.Table, route.Family, route.Priority, route.Tos);
}
