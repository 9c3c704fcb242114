using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Rules;
using Skep.Model.Rules.Labels;
using Skep.Model.Specs;

namespace Skep.Manager.Dispatch;

/// <summary>
/// What services' labels say, where it concerns the records of others: which services serve another's flows too, and whose ports depend
/// on what the nodes are. Kept up to date change by change.
/// </summary>
internal sealed class ServicePolicies
{
    private readonly Dictionary<string, SortedSet<string>> _canaries = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _restricted = [];

    /// <summary>Services whose records depend on the nodes or on the ingress network.</summary>
    public IReadOnlyCollection<string> Restricted => _restricted;

    /// <summary>Takes over a change of a service.</summary>
    /// <returns>The ids of the other services whose records it may change.</returns>
    public HashSet<string> Changed(SwarmService? old, SwarmService? now, StoreView view)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (old is not null)
        {
            foreach (var name in Served(old))
            {
                names.Add(name);
                Of(name).Remove(old.Id);
            }

            _restricted.Remove(old.Id);
        }

        if (now is not null)
        {
            foreach (var name in Served(now))
            {
                names.Add(name);
                Of(name).Add(now.Id);
            }

            // Ports of mode host are told of on the ingress network, with restrictions or without.
            if (!ServiceLabels.Of(now.Spec).Publish.IsEmpty || (now.Endpoint?.Ports ?? []).Any(p => p.PublishMode == PortConfig.Host))
            {
                _restricted.Add(now.Id);
            }
        }

        // A name that comes or goes may be the one that a canary meant.
        if ((old is null) != (now is null))
        {
            foreach (var canary in Of((now ?? old)!.Spec.Name).Select(view.Services.GetValueOrDefault).OfType<SwarmService>().ToList())
            {
                names.UnionWith(Served(canary));
            }
        }

        Tidy(names);
        var own = (now ?? old)!.Id;
        return [.. names.Select(view.ServiceNamed).OfType<SwarmService>().Select(s => s.Id).Where(id => id != own)];
    }

    /// <summary>How a service's flows are shared out; null when the plan need not say it.</summary>
    public PlanBalance? BalanceOf(SwarmService service, StoreView view)
    {
        var labels = ServiceLabels.Of(service.Spec).Balance;
        var members = MembersOf(service, view);
        return labels.IsDefault && members.Count == 0
            ? null
            : new PlanBalance(labels.Mode, labels.Weight)
            {
                AffinitySeconds = labels.Mode == BalanceMode.Source ? (uint)labels.Timeout.TotalSeconds : null,
                Members = members.Count == 0 ? null : members,
            };
    }

    /// <summary>Who may reach a service's published ports; null = everybody, everywhere.</summary>
    public static IReadOnlyList<PlanPortAccess>? AccessOf(SwarmService service, StoreView view)
    {
        var labels = ServiceLabels.Of(service.Spec).Publish;
        return labels.IsEmpty ? null : [.. labels.Select(l => new PlanPortAccess(l.First, l.Last)
        {
            Nodes = l.Nodes is null ? null : NodesOf(l.Nodes, view),
            Addresses = l.Addresses,
            Sources = l.Sources,
            ProxyProtocol = l.ProxyProtocol,
        })];
    }

    /// <summary>The service that this one's tasks serve too: of its own stack first; null when it names none that is there.</summary>
    public static SwarmService? ServedBy(SwarmService service, StoreView view) =>
        Served(service).Select(view.ServiceNamed).FirstOrDefault(s => s is not null && s.Id != service.Id);

    /// <summary>What of a node a placement constraint can speak of.</summary>
    public static bool Differ(SwarmNode one, SwarmNode other) =>
        one.Role != other.Role
        || one.Status.Addr != other.Status.Addr
        || one.Description?.Hostname != other.Description?.Hostname
        || one.Description?.Platform != other.Description?.Platform
        || !Same(one.Spec.Labels, other.Spec.Labels)
        || !Same(one.Description?.Engine.Labels, other.Description?.Engine.Labels);

    private List<PlanMember> MembersOf(SwarmService service, StoreView view) => _canaries.TryGetValue(service.Spec.Name, out var canaries)
        ?
        [
            .. canaries.Select(view.Services.GetValueOrDefault).OfType<SwarmService>()
                .Where(c => c.Id != service.Id && ServedBy(c, view)?.Id == service.Id)
                .Select(c => new PlanMember(c.Id, ServiceLabels.Of(c.Spec).Balance.Weight)),
        ]
        : [];

    private static IReadOnlyList<string> NodesOf(IReadOnlyList<string> constraints, StoreView view) =>
        [.. view.Nodes.Values.Where(n => PlacementConstraint.AllMatch(constraints, n)).Select(n => n.Id).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Served(SwarmService service) => CanaryRules.NamesServedBy(service.Spec);

    private SortedSet<string> Of(string name)
    {
        if (!_canaries.TryGetValue(name, out var canaries))
        {
            _canaries[name] = canaries = new SortedSet<string>(StringComparer.Ordinal);
        }

        return canaries;
    }

    private void Tidy(IEnumerable<string> names)
    {
        foreach (var name in names.Where(n => _canaries.TryGetValue(n, out var canaries) && canaries.Count == 0))
        {
            _canaries.Remove(name);
        }
    }

    private static bool Same(IReadOnlyDictionary<string, string>? one, IReadOnlyDictionary<string, string>? other) =>
        (one?.Count ?? 0) == (other?.Count ?? 0)
        && (one is null || one.All(pair => other?.GetValueOrDefault(pair.Key) == pair.Value));
}
