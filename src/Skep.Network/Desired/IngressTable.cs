using System.Collections.Immutable;
using System.Net.Sockets;
using Skep.Model.Plans;
using Skep.Model.Specs;

namespace Skep.Network.Desired;

/// <summary>The packet rules of ingress_sbox: a published port's flows go to the tasks in turn, with the client's own address.</summary>
internal static class IngressTable
{
    public static WantedTable Of(NetworkView ingress)
    {
        var (own, _) = Addressing.Split(ingress.OwnIngressAddress!);
        var ports = PublishedPorts(ingress);
        return new WantedTable("ip", WantedTable.Ours)
        {
            Sets =
            [
                new("map", "published", "inet_proto . inet_service : verdict", [.. ports.Select(p => $"{p.Key} : jump {ChainOf(p.Value.Port)}")]),
            ],
            Chains =
            [
                new("prerouting", "type nat hook prerouting priority dstnat; policy accept;", ["iifname \"eth1\" meta l4proto . th dport vmap @published"]),
                new("forward", "type filter hook forward priority filter; policy accept;",
                    ["ct state established,related accept", "iifname \"eth1\" ct status dnat accept", "drop"]),
                // This node's own loopback and containers arrive with addresses that every node has; they leave with the one
                // that only this node's ingress_sbox has, or the replies of two nodes' flows could not be told apart.
                new("postrouting", "type nat hook postrouting priority srcnat; policy accept;",
                    [$"oifname \"eth0\" ip saddr {ingress.Facts.GatewaySubnet} snat to {own}"]),
                .. ports.Values.Select(p => new WantedChain(ChainOf(p.Port), null, Balance(ingress, p.Service, p.Port))),
            ],
        };
    }

    /// <summary>Every published port of the ingress network by its key (<c>tcp . 8000</c>), in order; the first service keeps a port that two claim.</summary>
    public static SortedDictionary<string, (PlanService Service, PortConfig Port)> PublishedPorts(NetworkView ingress)
    {
        var ports = new SortedDictionary<string, (PlanService, PortConfig)>(StringComparer.Ordinal);
        foreach (var service in ingress.Plan.Services.Values.OrderBy(s => s.ServiceId, StringComparer.Ordinal))
        {
            foreach (var port in service.Ports.Where(p => Ports.IsIngress(p) && p.PublishedPort is > 0))
            {
                ports.TryAdd(Ports.Key(port), (service, port));
            }
        }

        return ports;
    }

    // Without a backend the chain is empty: the packet stays here, where nobody listens, and is refused at once.
    private static ImmutableArray<string> Balance(NetworkView ingress, PlanService service, PortConfig port)
    {
        var backends = ingress.ActiveBackends(service.ServiceId, AddressFamily.InterNetwork).ToList();
        return backends.Count == 0
            ? []
            : [$"meta l4proto {Ports.Protocol(port)} {RoundRobin.To(backends)}:{port.TargetPort}"];
    }

    private static string ChainOf(PortConfig port) => $"port-{Ports.Protocol(port)}-{port.PublishedPort}";
}
