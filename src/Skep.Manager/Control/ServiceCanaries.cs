using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Rules.Labels;
using Skep.Model.Specs;

namespace Skep.Manager.Control;

/// <summary>A service whose tasks serve another's flows too, beside that other service.</summary>
public static class ServiceCanaries
{
    /// <summary>What the user should know though it is no mistake: the other service may be made later.</summary>
    public static IReadOnlyList<string> Warnings(ServiceSpec spec, StoreView view)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return CanaryRules.NamesServedBy(spec) is { Count: > 0 } names && Find(names, view) is null
            ? [$"label {LabelNames.BalanceWith}: there is no service {string.Join(" or ", names)} yet; the label has no effect until there is"]
            : [];
    }

    internal static void Check(ServiceSpec spec, string id, StoreView view)
    {
        if (Find(CanaryRules.NamesServedBy(spec), view) is not { } served || served.Id == id)
        {
            return;
        }

        var label = $"label {LabelNames.BalanceWith} is \"{spec.Labels[LabelNames.BalanceWith]}\"";
        if (CanaryRules.IsCanary(served.Spec.Labels))
        {
            throw RpcText.Invalid($"{label}; allowed: a service that serves its own flows, and {served.Spec.Name} has the same label");
        }

        if (served.Spec.EndpointSpec?.Mode == EndpointSpec.DnsRoundRobin)
        {
            throw RpcText.Invalid($"{label}; allowed: a service with endpoint mode vip, and {served.Spec.Name} has dnsrr");
        }

        var publishes = (served.Spec.EndpointSpec?.Ports ?? []).Any(p => p.PublishMode != PortConfig.Host);
        if (!publishes && !Networks(served.Spec).Intersect(Networks(spec)).Any())
        {
            throw RpcText.Invalid($"{label}; {served.Spec.Name} publishes no port and the two are on no network together, so there is nothing to serve");
        }
    }

    private static SwarmService? Find(IEnumerable<string> names, StoreView view) => names.Select(view.ServiceNamed).FirstOrDefault(s => s is not null);

    private static IEnumerable<string> Networks(ServiceSpec spec) => (spec.TaskTemplate.Networks ?? spec.Networks ?? []).Select(n => n.Target);
}
