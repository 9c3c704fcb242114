using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Manager.Orchestration;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.Manager.Allocation;

/// <summary>Gives networks their subnets and VXLAN identifiers, or says why it cannot.</summary>
public static class NetworkAllocator
{
    public const string VniOption = "com.docker.network.driver.overlay.vxlanid_list";
    public const string Overlaps = "Pool overlaps with other one on this address space";

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
        var (subnets, error) = Subnets(network.Spec, work.View.Cluster, [.. others.Select(Parse).OfType<IPNetwork>()], [.. HostOverlaps.PrefixesOf(work.View.Nodes.Values)]);
        var vni = Vni(work, network, ref error);
        var next = error is null
            ? network with { Subnets = subnets, Vni = vni, AllocationError = null }
            : network with { AllocationError = error };
        if (next != network)
        {
            work.Update(next);
        }
    }

    /// <summary>The subnets that a network gets beside <paramref name="taken"/>, each with its gateway; IPv4 first.</summary>
    /// <param name="spec">The wish.</param>
    /// <param name="cluster">Where the pools are from.</param>
    /// <param name="taken">What no subnet may overlap.</param>
    /// <param name="avoided">What no subnet that is chosen here should overlap: the nodes' own routes.</param>
    public static (IReadOnlyList<IpamConfig> Subnets, string? Error) Subnets(
        NetworkSpec spec, SwarmCluster? cluster, IReadOnlyList<IPNetwork> taken, IReadOnlyList<IPNetwork> avoided)
    {
        var subnets = new List<IpamConfig>();
        var all = taken.ToList();
        foreach (var family in Families(spec))
        {
            var wanted = Wanted(spec, family);
            if (wanted.Count == 0)
            {
                if (SubnetPools.LowestFree(cluster, family, all, avoided) is not { } free)
                {
                    return ([], $"could not find an available, non-overlapping {NameOf(family)} address pool among the defaults to assign to the network");
                }

                wanted = [new IpamConfig { Subnet = free.ToString() }];
            }

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
        }

        return (subnets, null);
    }

    /// <summary>The families that a network asks for.</summary>
    public static IEnumerable<AddressFamily> Families(NetworkSpec spec)
    {
        if (spec.EnableIPv4)
        {
            yield return AddressFamily.InterNetwork;
        }

        if (spec.EnableIPv6)
        {
            yield return AddressFamily.InterNetworkV6;
        }
    }

    /// <summary>The subnets of a family that the user named; none: one is chosen.</summary>
    public static IReadOnlyList<IpamConfig> Wanted(NetworkSpec spec, AddressFamily family) =>
        [.. (spec.IPAMOptions?.Configs ?? []).Where(c => !string.IsNullOrEmpty(c.Subnet)
            && (Parse(c.Subnet)?.BaseAddress.AddressFamily ?? AddressFamily.InterNetwork) == family)];

    public static string NameOf(AddressFamily family) => family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";

    /// <summary>Reads a prefix whose host bits may be set (10.0.1.7/24), as people write them.</summary>
    public static IPNetwork? Parse(string? text)
    {
        var parts = text?.Split('/');
        if (parts is not { Length: 2 } || !IPAddress.TryParse(parts[0], out var address)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || length > (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128))
        {
            return null;
        }

        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var host = bits - length;
        var number = host == 128 ? UInt128.Zero : AddressRange.ToNumber(address) >> host << host;
        return new IPNetwork(AddressRange.ToAddress(number, address.AddressFamily), length);
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
