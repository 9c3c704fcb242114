using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network.Sockets;

/// <summary>What one service and one sandbox add to the sockets' wishes. Pure; the packet rules follow from the same <see cref="BackendSequence"/>.</summary>
internal static class WantedSockets
{
    /// <summary>The networks whose VIPs a sandbox may ask for. Ingress' VIPs are nobody's to use.</summary>
    public static ImmutableArray<uint> NetworksOf(LocalSandbox sandbox) =>
        [.. sandbox.Request.Attachments.Where(a => !a.Network.Ingress).Select(a => a.Network.Vni).Distinct().Order()];

    /// <summary>A service's VIPs on a network, one of each family that it has, and their ports that some backend refuses.</summary>
    public static IEnumerable<BalancedAddress> Of(NetworkView network, PlanService service)
    {
        // Who refuses one port is left out for all: a client must not change its backend with the port that it asks.
        var affine = service.Balance?.Mode == BalanceMode.Source;
        var absent = affine ? network.Refusing(service).Select(r => r.Address).ToHashSet() : [];
        var refusing = affine ? [] : network.Refusing(service).GroupBy(r => (r.Protocol, r.Port), r => r.Address).OrderBy(p => p.Key).ToList();
        foreach (var vips in service.Vips.Select(Addressing.AddressOf).GroupBy(v => v.AddressFamily))
        {
            var key = new VipKey(network.Network.Vni, MapAddress.Of(vips.First()));
            var plain = Of(network, service, key, vips.Key, absent);
            var ports = refusing
                .Select(p => Of(network, service, key with { Protocol = p.Key.Protocol, Port = p.Key.Port }, vips.Key, [.. p]))
                .Where(p => !p.Backends.AsSpan().SequenceEqual(plain.Backends.AsSpan()))
                .ToList();
            yield return plain with { HasPorts = ports.Count > 0 };
            foreach (var port in ports)
            {
                yield return port;
            }
        }
    }

    private static BalancedAddress Of(NetworkView network, PlanService service, VipKey key, AddressFamily family, HashSet<IPAddress> refusing)
    {
        ImmutableArray<MapAddress> backends = [.. network.Backends(service, family, refusing).Select(MapAddress.Of)];
        var kept = network.Serving(service, family).Except(refusing).Select(MapAddress.Of).Except(backends);
        return new BalancedAddress(key, backends, [.. kept.OrderBy(a => a.First).ThenBy(a => a.Second)])
        {
            Mode = service.Balance?.Mode ?? BalanceMode.RoundRobin,
            Affinity = TimeSpan.FromSeconds(service.Balance?.AffinitySeconds ?? 0),
        };
    }
}
