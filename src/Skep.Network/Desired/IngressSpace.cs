using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>ingress_sbox: one foot on the ingress network, one on the gateway bridge. The relay of PROXY headers lives in it; other flows go past it (<see cref="HostMesh"/>).</summary>
internal static class IngressSpace
{
    private static readonly WantedSysctl[] s_noSearch = [new("net.ipv6.conf.eth0.accept_dad", "0"), new("net.ipv6.conf.eth1.accept_dad", "0")];

    public static WantedParts Of(NetworkView ingress)
    {
        var shares = new ShareSet();
        shares.AddAll(ShareSource.Service, ingress.Network.Id, ingress.Plan.Services, s => Share(ingress, s));
        return new WantedParts(Frame(ingress), shares.ToImmutable());
    }

    /// <summary>What a service adds: the ports that the relay serves.</summary>
    public static WantedShare Share(NetworkView ingress, PlanService service) => RelayTables.Of(ingress, service);

    private static WantedSpace Frame(NetworkView ingress)
    {
        var (own, length) = Addressing.Split(ingress.OwnIngressAddress!);
        var facts = ingress.Facts;
        var six = ingress.OwnIngressAddress6 is not null;
        return new WantedSpace(WantedSpace.IngressSandbox, SpaceKind.Ingress)
        {
            Ends =
            [
                new("eth0", Addressing.MacOf(own), ingress.Mtu),
                new("eth1", Addressing.MacOf(facts.IngressGatewayAddress), 1500),
            ],
            Addresses =
            [
                new("eth0", own, length),
                new("eth1", facts.IngressGatewayAddress, facts.GatewaySubnet.PrefixLength),
                .. Addresses6(ingress),
            ],
            Routes =
            [
                new(null, facts.GatewayAddress, "eth1"),
                .. facts.GatewayAddress6 is { } gateway && six ? new[] { new WantedRoute(null, gateway, "eth1") } : [],
                .. six ? new[] { new WantedRoute(StandIns.Of(AddressFamily.InterNetworkV6), null, "eth0", WantedRoute.Local) } : [],
            ],
            Sysctls =
            [
                new("net.ipv4.ip_forward", "0"),
                new("net.ipv4.conf.all.rp_filter", "0"),
                new("net.ipv4.conf.eth0.rp_filter", "0"),
                // What tasks answer to the relay is for stand-ins of its clients; they stay when the last such port goes, for the flows that live on.
                new("net.ipv4.conf.eth0.route_localnet", "1"),
                new("net.ipv4.conf.eth1.rp_filter", "0"),
                new("net.ipv4.conf.all.send_redirects", "0"),
                .. IPv6Settings.Of(six),
                // These links are there before the settings for new ones are.
                .. six ? s_noSearch : [],
            ],
            Tables = [.. IngressTable.Of(ingress)],
        };
    }

    private static IEnumerable<WantedAddress> Addresses6(NetworkView ingress)
    {
        if (ingress.OwnIngressAddress6 is not { } text)
        {
            yield break;
        }

        var (own, length) = Addressing.Split(text);
        yield return new WantedAddress("eth0", own, length);
        if (ingress.Facts.IngressGatewayAddress6 is { } outside)
        {
            yield return new WantedAddress("eth1", outside, ingress.Facts.GatewaySubnet6!.Value.PrefixLength);
        }
    }
}
