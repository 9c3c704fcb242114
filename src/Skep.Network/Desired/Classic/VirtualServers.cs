using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired.Classic;

/// <summary>The virtual servers of a network's services, and the marks that lead to them.</summary>
internal static class VirtualServers
{
    /// <summary>An endpoint that drains stays, with weight 0: its flows go on, new ones go elsewhere.</summary>
    public static ImmutableArray<WantedVirtualServer> Of(NetworkView network) =>
    [
        .. ClassicState.Marked(network)
            .Select(m => new WantedVirtualServer(m.Mark, Servers(network, m.Service)))
            .Where(v => !v.Servers.IsEmpty),
    ];

    /// <summary>iptables-save writes a mark so.</summary>
    public static string SetMark(uint mark) => string.Create(CultureInfo.InvariantCulture, $"-j MARK --set-xmark 0x{mark:x}/0xffffffff");

    /// <summary>VIPs are marked where they arrive.</summary>
    public static WantedIptablesChain MarkedVips(NetworkView network) => new(
        "mangle",
        "INPUT",
        [
            .. from marked in ClassicState.Marked(network)
               from vip in Vips(marked.Service)
               select $"-d {vip}/32 {SetMark(marked.Mark)}",
        ]);

    public static IEnumerable<System.Net.IPAddress> Vips(PlanService service) =>
        service.Vips.Select(Addressing.AddressOf).Where(a => a.AddressFamily == AddressFamily.InterNetwork);

    /// <summary>What was balanced leaves with the load balancer's own address, or the answers would not come back to it.</summary>
    public static WantedIptablesChain Masked(NetworkView network, System.Net.IPAddress own) => new(
        "nat",
        "POSTROUTING",
        [
            .. network.Network.Subnets.Select(s => Addressing.Split(s.Subnet!))
                .Where(s => s.Address.AddressFamily == AddressFamily.InterNetwork)
                .Select(s => $"-d {Addressing.NetworkOf(s.Address, s.PrefixLength)} -m ipvs --ipvs -j SNAT --to-source {own}"),
        ]);

    private static ImmutableSortedDictionary<string, uint> Servers(NetworkView network, PlanService service)
    {
        var endpoints = network.Plan.Endpoints.Values.Where(e => service.ServedBy().Contains(e.ServiceId));
        var active = network.Backends(service, AddressFamily.InterNetwork).Select(a => a.ToString()).ToHashSet(StringComparer.Ordinal);
        return endpoints.Where(e => e.State != EndpointState.Starting)
            .SelectMany(e => e.Addresses.Select(Addressing.AddressOf).Where(a => a.AddressFamily == AddressFamily.InterNetwork).Take(1))
            .Select(a => a.ToString())
            .Concat(active)
            .Distinct(StringComparer.Ordinal)
            .ToImmutableSortedDictionary(a => a, a => active.Contains(a) ? 1u : 0u, StringComparer.Ordinal);
    }
}
