namespace Skep.Network.Desired.Classic;

/// <summary>ingress_sbox: published ports are marked and balanced by IPVS; every client is seen as this node's ingress address.</summary>
internal static class ClassicIngress
{
    public static WantedSpace Of(NetworkView ingress)
    {
        var (own, _) = Addressing.Split(ingress.OwnIngressAddress!);
        var frame = IngressSpace.Of(ingress).Frame;
        return frame with
        {
            Addresses = [.. frame.Addresses.Where(a => a.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork), .. ClassicBalancer.Vips(ingress)],
            Routes = [.. frame.Routes.Where(r => r.Gateway?.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)],
            Sysctls = [.. ClassicBalancer.BalancingSettings, new("net.ipv4.conf.eth1.rp_filter", "0")],
            Tables = [],
            Iptables = [MarkedPorts(ingress), VirtualServers.MarkedVips(ingress), VirtualServers.Masked(ingress, own)],
            VirtualServers = VirtualServers.Of(ingress),
        };
    }

    private static WantedIptablesChain MarkedPorts(NetworkView ingress) => new(
        "mangle",
        "PREROUTING",
        [
            .. from marked in ClassicState.Marked(ingress)
               from port in ClassicPorts.Of(marked.Service)
               select $"-p {port.Protocol} -m {port.Protocol} --dport {port.Published} {VirtualServers.SetMark(marked.Mark)}",
        ]);
}
