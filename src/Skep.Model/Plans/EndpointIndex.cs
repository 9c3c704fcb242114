using System.Collections.Immutable;

namespace Skep.Model.Plans;

/// <summary>A network's endpoints by service, and which services another one's endpoints serve too. A value: a change makes a new one.</summary>
public sealed class EndpointIndex
{
    private readonly ImmutableDictionary<string, ImmutableArray<PlanEndpoint>> _byService;
    private readonly ImmutableDictionary<string, ImmutableHashSet<string>> _served;

    private EndpointIndex(ImmutableDictionary<string, ImmutableArray<PlanEndpoint>> byService, ImmutableDictionary<string, ImmutableHashSet<string>> served) =>
        (_byService, _served) = (byService, served);

    /// <summary>The endpoints of one service, of any state.</summary>
    public ImmutableArray<PlanEndpoint> this[string serviceId] => _byService.TryGetValue(serviceId, out var endpoints) ? endpoints : [];

    public static EndpointIndex Of(NetworkPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new EndpointIndex(
            plan.Endpoints.Values.GroupBy(e => e.ServiceId, StringComparer.Ordinal).ToImmutableDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.Ordinal),
            plan.Services.Values.SelectMany(s => Members(s).Select(m => (Member: m, s.ServiceId))).GroupBy(s => s.Member, StringComparer.Ordinal)
                .ToImmutableDictionary(g => g.Key, g => g.Select(s => s.ServiceId).ToImmutableHashSet(StringComparer.Ordinal), StringComparer.Ordinal));
    }

    /// <summary>The index of the plan after, in which only these endpoints and services may be others.</summary>
    public EndpointIndex With(NetworkPlan before, NetworkPlan after, IEnumerable<PlanRecordKey> keys)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(keys);
        var (byService, served) = (_byService, _served);
        foreach (var key in keys)
        {
            if (key.Part == PlanPart.Endpoint)
            {
                byService = before.Endpoints.GetValueOrDefault(key.Id) is { } gone ? Without(byService, gone) : byService;
                byService = after.Endpoints.GetValueOrDefault(key.Id) is { } now ? byService.SetItem(now.ServiceId, Get(byService, now.ServiceId).Add(now)) : byService;
            }
            else if (key.Part == PlanPart.Service)
            {
                served = Members(before.Services.GetValueOrDefault(key.Id)).Aggregate(served, (s, m) => s.SetItem(m, Get(s, m).Remove(key.Id)));
                served = Members(after.Services.GetValueOrDefault(key.Id)).Aggregate(served, (s, m) => s.SetItem(m, Get(s, m).Add(key.Id)));
            }
        }

        return new EndpointIndex(byService, served);
    }

    /// <summary>The services that a service's endpoints serve: itself, and those that it is a member of.</summary>
    public IEnumerable<string> ServedBy(string serviceId) => Get(_served, serviceId).Add(serviceId);

    private static IEnumerable<string> Members(PlanService? service) => (service?.Balance?.Members ?? []).Select(m => m.ServiceId);

    private static ImmutableDictionary<string, ImmutableArray<PlanEndpoint>> Without(ImmutableDictionary<string, ImmutableArray<PlanEndpoint>> byService, PlanEndpoint gone)
    {
        var rest = Get(byService, gone.ServiceId).RemoveAll(e => e.TaskId == gone.TaskId);
        return rest.IsEmpty ? byService.Remove(gone.ServiceId) : byService.SetItem(gone.ServiceId, rest);
    }

    private static ImmutableArray<PlanEndpoint> Get(ImmutableDictionary<string, ImmutableArray<PlanEndpoint>> byService, string serviceId) =>
        byService.TryGetValue(serviceId, out var endpoints) ? endpoints : [];

    private static ImmutableHashSet<string> Get(ImmutableDictionary<string, ImmutableHashSet<string>> served, string serviceId) =>
        served.TryGetValue(serviceId, out var services) ? services : ImmutableHashSet.Create<string>(StringComparer.Ordinal);
}
