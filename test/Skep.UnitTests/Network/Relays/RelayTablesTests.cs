using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network.Desired;

namespace Skep.UnitTests.Network.Relays;

public sealed class RelayTablesTests
{
    [Fact]
    public void A_relayed_port_leads_to_the_relay_and_from_there_to_the_tasks_in_turn() => Assert.Equal(
        """
          table ip skep-relayed-s1
            chain arriving { type nat hook prerouting priority -115; policy accept; }
              iifname "eth1" tcp dport 8000 dnat to 10.0.0.11:61054
            chain turns { type nat hook output priority -100; policy accept; }
              ip daddr 172.18.0.2 tcp dport 8000 dnat to numgen inc mod 2 map { 0 : 10.0.0.5, 1 : 10.0.0.6 }:3000
            chain lent { type nat hook postrouting priority srcnat - 5; policy accept; }
              oifname "eth0" ip saddr 127.128.0.0/9 snat to 10.0.0.11
            chain entrance { type filter hook input priority filter; policy accept; }
              tcp dport 61054 ct status ! dnat reject with tcp reset
            chain exit { type filter hook output priority filter; policy accept; }
              tcp flags syn / syn,rst tcp option maxseg size set rt mtu
              tcp sport 61054 ct status dnat tcp flags rst,ack / syn,rst,ack tcp sequence 0 drop
        """.Split('\n').Order(), Of(s => s with { Access = [new PlanPortAccess(8000, 8000) { ProxyProtocol = 2 }] }).Order());

    [Fact]
    public void Every_way_of_balancing_is_there_with_the_same_choice_for_the_relay_as_for_packets()
    {
        var shifted = Of(s => s with
        {
            Balance = new PlanBalance(BalanceMode.Random),
            Ports = [new PortConfig { PublishedPort = 8000, TargetPort = 3000 }, new PortConfig { PublishedPort = 8001, TargetPort = 3001 }],
            Access = [new PlanPortAccess(1, 65535) { ProxyProtocol = 2 }],
        });
        Assert.Contains("      ip daddr 172.18.0.2 tcp dport 8001 dnat to numgen random mod 2 map { 0 : 10.0.0.5, 1 : 10.0.0.6 }:3001", shifted);
        Assert.Contains("      iifname \"eth1\" tcp dport 8000-8001 dnat to 10.0.0.11:61054", shifted);

        var sticky = Of(s => s with { Balance = new PlanBalance(BalanceMode.Source), Access = [new PlanPortAccess(8000, 8000) { ProxyProtocol = 2 }] });
        Assert.Contains("      ip daddr 172.18.0.2 tcp dport 8000 goto turn-tcp-3000", sticky);
        Assert.Contains("      ip saddr @clients-10.0.0.5 goto to-10.0.0.5-tcp-3000", sticky);
    }

    [Fact]
    public void Ports_without_headers_and_datagrams_stay_where_they_are()
    {
        var udp = Of(s => s with
        {
            Ports = [new PortConfig { PublishedPort = 8000, TargetPort = 3000, Protocol = "udp" }],
            Access = [new PlanPortAccess(8000, 8000) { ProxyProtocol = 2 }],
        });
        Assert.DoesNotContain(udp, l => l.Contains("skep-relayed", StringComparison.Ordinal));
        Assert.DoesNotContain(Of(s => s), l => l.Contains("skep-relayed", StringComparison.Ordinal));
    }

    [Fact]
    public void A_client_has_one_stand_in_in_its_family_and_neighbours_have_others()
    {
        foreach (var (first, family) in new[] { ("198.18.7.9", AddressFamily.InterNetwork), ("fd07::9", AddressFamily.InterNetworkV6) })
        {
            var clients = Enumerable.Range(0, 200).Select(n =>
            {
                var bytes = IPAddress.Parse(first).GetAddressBytes();
                bytes[^1] = (byte)n;
                return new IPAddress(bytes);
            }).ToList();
            Assert.All(clients, c => Assert.True(StandIns.Of(family).Contains(StandIns.For(c)), StandIns.For(c).ToString()));
            Assert.Equal(200, clients.Select(StandIns.For).Distinct().Count());
            Assert.Equal(StandIns.For(clients[7]), StandIns.For(new IPAddress(clients[7].GetAddressBytes())));
        }
    }

    private static List<string> Of(Func<PlanService, PlanService> change)
    {
        var node = PlanExample.Node();
        var ingress = node.Plan.Networks[PlanExample.Ingress.Id];
        node = node with
        {
            Plan = node.Plan with
            {
                Networks = node.Plan.Networks.SetItem(PlanExample.Ingress.Id, ingress with { Services = ingress.Services.SetItem("s1", change(ingress.Services["s1"])) }),
            },
        };
        var lines = DesiredState.Compute(node).Spaces.Single(s => s.Name == "ingress_sbox").ToString().Split('\n');
        var relayed = lines.SkipWhile(l => !l.StartsWith("  table ip skep-relayed", StringComparison.Ordinal)).ToList();
        if (relayed.Count == 0)
        {
            return [.. lines];
        }

        var end = relayed.FindIndex(1, l => l.StartsWith("  ", StringComparison.Ordinal) && !l.StartsWith("   ", StringComparison.Ordinal) && !l.StartsWith("  table ip skep-relayed", StringComparison.Ordinal));
        return [.. relayed.Take(end < 0 ? relayed.Count : end).Where(l => l.Length > 0)];
    }
}
