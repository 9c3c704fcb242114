using System.Globalization;
using Skep.Manager.Allocation;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.Manager.Control;

/// <summary>A service that can never have its addresses is refused with the numbers, instead of leaving tasks that wait for ever.</summary>
internal static class AddressNeeds
{
    /// <summary>Refuses more tasks than a network has addresses, whoever else uses it. What a service asked for before is not looked at again.</summary>
    public static void Check(ServiceSpec spec, ServiceSpec? before, StoreView view)
    {
        var had = before is null ? null : (Need?)NeedOf(before, view);
        var need = NeedOf(spec, view);
        foreach (var network in need.Networks.Where(n => had?.Networks.Contains(n) != true || need.Tasks > had.Value.Tasks))
        {
            var pool = new AddressPool();
            pool.Configure(network.Subnets);
            foreach (var family in pool.Families)
            {
                var (total, _) = pool.Usage(family);
                if ((UInt128)need.Tasks + (UInt128)need.Own > total)
                {
                    throw RpcText.Invalid(string.Create(
                        CultureInfo.InvariantCulture,
                        $"network {network.Spec.Name} has {total} {NetworkAllocator.NameOf(family)} addresses; the service needs {(UInt128)need.Tasks + (UInt128)need.Own} ({need.Tasks} tasks{(need.Own == 0 ? "" : " and its virtual address")}). A network with a larger --subnet has room"));
                }
            }
        }
    }

    private static Need NeedOf(ServiceSpec spec, StoreView view)
    {
        var targets = (spec.TaskTemplate.Networks ?? spec.Networks ?? []).Select(n => n.Target).ToHashSet(StringComparer.Ordinal);
        var ingress = PortRules.HasIngress(spec.EndpointSpec);
        return new Need(
            spec.Mode.Replicated is { } replicated ? replicated.Replicas ?? 1 : 0,
            spec.EndpointSpec?.Mode == EndpointSpec.DnsRoundRobin ? 0UL : 1,
            [.. view.Networks.Values.Where(n => n.Subnets.Count > 0 && (targets.Contains(n.Id) || (ingress && n.Spec.Ingress)))]);
    }

    private readonly record struct Need(ulong Tasks, ulong Own, IReadOnlyList<SwarmNetwork> Networks);
}
