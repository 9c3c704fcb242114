using System.Globalization;
using System.Net;
using Skep.Manager.Orchestration;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.Manager.Allocation;

/// <summary>Gives networks their subnets and VXLAN identifiers, or says why it cannot.</summary>
public static class NetworkAllocator
{
    public const string VniOption = "com.docker.network.driver.overlay.vxlanid_list";
    public const string Overlaps = "Pool overlaps with other one on this address space";
    private const string DefaultPool = "10.0.0.0/8";

    /// <summary>Networks of other drivers live on each node alone: nothing of them is the managers' to give.</summary>
    public static bool IsOverlay(SwarmNetwork network) => network.Spec.DriverConfiguration?.Name is null or "" or "overlay";

    public static bool IsAllocated(SwarmNetwork network) => !IsOverlay(network) || (network.Vni != 0 && network.Subnets.Count > 0);

    public static void Allocate(WorkingSet work, SwarmNetwork network)
    {
        if (IsAllocated(network))
        {
            return;
        }

        var others = work.Networks.Where(n => n.Id != network.Id).SelectMany(n => n.Subnets).Select(s => s.Subnet).ToArray();
        var (subnets, error) = Subnets(network.Spec, work.View.Cluster, [.. others.Select(Parse).OfType<IPNetwork>()]);
        var vni = Vni(work, network, ref error);
        var next = error is null
            ? network with { Subnets = subnets, Vni = vni, AllocationError = null }
            : network with { AllocationError = error };
        if (next != network)
        {
            work.Update(next);
        }
    }

    /// <summary>The subnets that a network gets beside <paramref name="taken"/>, each with its gateway.</summary>
    public static (IReadOnlyList<IpamConfig> Subnets, string? Error) Subnets(NetworkSpec spec, SwarmCluster? cluster, IReadOnlyList<IPNetwork> taken)
    {
        var wanted = spec.IPAMOptions?.Configs?.Where(c => !string.IsNullOrEmpty(c.Subnet)).ToArray() ?? [];
        if (wanted.Length == 0)
        {
            var free = LowestFree(cluster, taken);
            return free is { } subnet
                ? ([WithGateway(new IpamConfig { Subnet = subnet.ToString() }, subnet)], null)
                : ([], "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network");
        }

        var subnets = new List<IpamConfig>();
        var all = taken.ToList();
        foreach (var config in wanted)
        {
            if (Parse(config.Subnet) is not { } subnet)
            {
                return ([], $"invalid subnet {config.Subnet} : invalid CIDR block notation");
            }

            if (all.Any(t => AddressRange.Overlap(t, subnet)))
            {
                return ([], Overlaps);
            }

            all.Add(subnet);
            subnets.Add(WithGateway(config with { Subnet = subnet.ToString() }, subnet));
        }

        return (subnets, null);
    }

    /// <summary>Reads a prefix whose host bits may be set (10.0.1.7/24), as people write them.</summary>
    private static IPNetwork? Parse(string? text)
    {
        var parts = text?.Split('/');
        if (parts is not { Length: 2 } || !IPAddress.TryParse(parts[0], out var address)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || length > (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128))
        {
            return null;
        }

        var bits = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128;
        var host = bits - length;
        var number = host == 128 ? UInt128.Zero : AddressRange.ToNumber(address) >> host << host;
        return new IPNetwork(AddressRange.ToAddress(number, address.AddressFamily), length);
    }

    private static IPNetwork? LowestFree(SwarmCluster? cluster, IReadOnlyList<IPNetwork> taken)
    {
        var size = cluster?.SubnetSize is > 0 and { } given ? given : 24;
        var pools = cluster?.DefaultAddressPool is { Count: > 0 } list ? list : [DefaultPool];
        foreach (var pool in pools.Select(Parse).OfType<IPNetwork>())
        {
            var (first, last) = AddressRange.Bounds(pool);
            var family = pool.BaseAddress.AddressFamily;
            var bits = family == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128;
            if (size < pool.PrefixLength || size > bits)
            {
                continue;
            }

            var step = UInt128.One << (bits - size);
            for (var number = first; number <= last; number += step)
            {
                var candidate = new IPNetwork(AddressRange.ToAddress(number, family), size);
                if (!taken.Any(t => AddressRange.Overlap(t, candidate)))
                {
                    return candidate;
                }
            }
        }

        return null;
    }

    private static IpamConfig WithGateway(IpamConfig config, IPNetwork subnet) => string.IsNullOrEmpty(config.Gateway)
        ? config with { Gateway = AddressRange.ToAddress(AddressRange.Of(subnet).First, subnet.BaseAddress.AddressFamily).ToString() }
        : config;

    private static uint Vni(WorkingSet work, SwarmNetwork network, ref string? error)
    {
        if (error is not null)
        {
            return 0;
        }

        if (network.Spec.DriverConfiguration?.Options?.GetValueOrDefault(VniOption) is not { } text)
        {
            return work.Books.Vnis.Next();
        }

        if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) || wanted is 0 or > VniBook.Largest)
        {
            error = $"invalid vxlan id value '{text}' passed";
        }
        else if (!work.Books.Vnis.IsFree(wanted))
        {
            error = $"vxlan id {wanted} is in use by another network";
        }

        return wanted;
    }
}
