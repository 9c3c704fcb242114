namespace Skep.Network.Desired;

/// <summary>ingress_sbox: one foot on the ingress network, one on the gateway bridge.</summary>
internal static class IngressSpace
{
    public static WantedSpace Of(NetworkView ingress)
    {
        var (own, length) = Addressing.Split(ingress.OwnIngressAddress!);
        var facts = ingress.Facts;
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
            ],
            Routes = [new(null, facts.GatewayAddress, "eth1")],
            Sysctls =
            [
                new("net.ipv4.ip_forward", "1"),
                new("net.ipv4.conf.all.rp_filter", "0"),
                new("net.ipv4.conf.eth0.rp_filter", "0"),
                new("net.ipv4.conf.eth1.rp_filter", "0"),
                new("net.ipv4.conf.all.send_redirects", "0"),
                new("net.ipv6.conf.all.disable_ipv6", "1") { Optional = true },
            ],
            Tables = [IngressTable.Of(ingress)],
        };
    }
}
