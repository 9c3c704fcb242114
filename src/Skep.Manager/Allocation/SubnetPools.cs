using System.Net;
using System.Net.Sockets;
using Skep.Model.Objects;

namespace Skep.Manager.Allocation;

/// <summary>Where networks get subnets from when nobody names one.</summary>
public static class SubnetPools
{
    private const string Default4 = "10.0.0.0/8";
    private const int DefaultSize4 = 24;

    /// <summary>The swarm's pools of a family, in order: those of <c>swarm init --default-addr-pool</c>, or the defaults.</summary>
    public static IReadOnlyList<IPNetwork> Of(SwarmCluster? cluster, AddressFamily family)
    {
        var given = (cluster?.DefaultAddressPool ?? []).Select(NetworkAllocator.Parse).OfType<IPNetwork>()
            .Where(p => p.BaseAddress.AddressFamily == family).ToList();
        return given.Count > 0 ? given
            : family == AddressFamily.InterNetwork ? [IPNetwork.Parse(Default4)]
            : [UniqueLocal.PoolOf(cluster?.Id ?? "")];
    }

    /// <summary>Bits of each subnet's prefix.</summary>
    public static int SizeOf(SwarmCluster? cluster, AddressFamily family) =>
        family == AddressFamily.InterNetworkV6 ? UniqueLocal.SubnetSize : cluster?.SubnetSize is > 0 and { } given ? given : DefaultSize4;

    /// <summary>
    /// The lowest subnet of the swarm's pools that overlaps none of <paramref name="taken"/>, and none of <paramref name="avoided"/>
    /// if that can be; null when all are taken.
    /// </summary>
    public static IPNetwork? LowestFree(SwarmCluster? cluster, AddressFamily family, IReadOnlyList<IPNetwork> taken, IReadOnlyList<IPNetwork> avoided) =>
        LowestFree(cluster, family, [.. taken, .. avoided])

            // A node with a route to all of 10.0.0.0/8 must not leave the swarm without networks.
            ?? (avoided.Count > 0 ? LowestFree(cluster, family, taken) : null);

    private static IPNetwork? LowestFree(SwarmCluster? cluster, AddressFamily family, IReadOnlyList<IPNetwork> taken)
    {
        var size = SizeOf(cluster, family);
        var bounds = taken.Where(t => t.BaseAddress.AddressFamily == family).Select(AddressRange.Bounds).OrderBy(b => b.First).ToList();
        foreach (var pool in Of(cluster, family).Where(p => p.PrefixLength > 0 && p.PrefixLength <= size))
        {
            var (first, last) = AddressRange.Bounds(pool);
            var step = UInt128.One << ((family == AddressFamily.InterNetwork ? 32 : 128) - size);
            foreach (var (from, to) in bounds)
            {
                if (to >= first && from < first + step)
                {
                    first = ((to / step) + 1) * step;
                }
            }

            if (first <= last)
            {
                return new IPNetwork(AddressRange.ToAddress(first, family), size);
            }
        }

        return null;
    }
}
