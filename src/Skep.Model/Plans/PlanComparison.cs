using System.Collections.Immutable;

namespace Skep.Model.Plans;

/// <summary>
/// What differs between two plans that were made apart from each other: a daemon that starts has one from its disk and is told a new one,
/// in which nearly everything says the same.
/// </summary>
public static class PlanComparison
{
    // When much differs, a new computation of everything costs less than one of each difference.
    private const int Few = 100;
    private const int Share = 8;

    /// <summary>Null when there is more to it than some records.</summary>
    public static PlanDelta? Between(NodePlan before, NodePlan after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (before.Networks.Count != after.Networks.Count)
        {
            return null;
        }

        var keys = ImmutableHashSet.CreateBuilder<PlanRecordKey>();
        foreach (var (id, now) in after.Networks)
        {
            if (!before.Networks.TryGetValue(id, out var was) || !Same(was.Network, now.Network) || !Equals(was.Keyring, now.Keyring))
            {
                return null;
            }

            var most = keys.Count + Few + ((was.Endpoints.Count + was.Services.Count) / Share);
            if (!TryAdd(keys, PlanPart.Peer, id, was.Peers, now.Peers, Equals, most)
                || !TryAdd(keys, PlanPart.Service, id, was.Services, now.Services, Same, most)
                || !TryAdd(keys, PlanPart.Endpoint, id, was.Endpoints, now.Endpoints, Same, most))
            {
                return null;
            }
        }

        return new PlanDelta(before, keys.ToImmutable());
    }

    private static bool TryAdd<T>(
        ImmutableHashSet<PlanRecordKey>.Builder keys, PlanPart part, string network, ImmutableDictionary<string, T> before, ImmutableDictionary<string, T> after, Func<T, T, bool> same, int most)
        where T : class
    {
        if (ReferenceEquals(before, after))
        {
            return true;
        }

        var common = 0;
        foreach (var (id, now) in after)
        {
            var was = before.GetValueOrDefault(id);
            common += was is null ? 0 : 1;
            if (!ReferenceEquals(was, now) && (was is null || !same(was, now)) && keys.Add(new PlanRecordKey(part, network, id)) && keys.Count > most)
            {
                return false;
            }
        }

        if (common < before.Count)
        {
            keys.UnionWith(before.Keys.Where(id => !after.ContainsKey(id)).Select(id => new PlanRecordKey(part, network, id)));
        }

        return keys.Count <= most;
    }

    // Lists are compared by what is in them; what is compared by reference here only costs a computation.
    private static bool Same(PlanNetwork one, PlanNetwork other) => one with { Subnets = other.Subnets } == other && one.Subnets.SequenceEqual(other.Subnets);

    private static bool Same(PlanEndpoint one, PlanEndpoint other) =>
        (one.NodeId, one.ServiceId, one.State) == (other.NodeId, other.ServiceId, other.State)
        && one.Addresses.SequenceEqual(other.Addresses, StringComparer.Ordinal) && one.Names.SequenceEqual(other.Names, StringComparer.Ordinal);

    private static bool Same(PlanService one, PlanService other) =>
        one.Name == other.Name && one.Vips.SequenceEqual(other.Vips, StringComparer.Ordinal) && one.Aliases.SequenceEqual(other.Aliases, StringComparer.Ordinal)
        && one.Ports.SequenceEqual(other.Ports) && Equals(one.Balance, other.Balance) && ReferenceEquals(one.Access, other.Access);
}
