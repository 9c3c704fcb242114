using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.UnitTests.Network;

public sealed class DesiredStateTests
{
    [Fact]
    public void An_overlay_network_has_its_bridge_its_tunnel_a_cable_per_task_and_a_chain_per_service() => Assert.Equal(
        """
        space 2-demo00id
          link br0 bridge 02:53:c0:00:02:01 mtu 1450
          link vxlan0 vxlan 4097 port 4789 local 192.0.2.1 mtu 1450 master br0
          link veth0 to aaaaaaaaaaaa/eth1 02:42:0a:00:01:03 mtu 1450 master br0 hairpin
          sysctl net.ipv4.ip_forward=1
          sysctl net.ipv4.conf.all.rp_filter=0
          sysctl net.ipv4.conf.br0.rp_filter=0
          sysctl net.ipv4.conf.all.send_redirects=0
          sysctl net.ipv4.conf.br0.send_redirects=0
          sysctl net.bridge.bridge-nf-call-iptables=1
          sysctl net.bridge.bridge-nf-call-ip6tables=1
          sysctl net.ipv6.conf.all.disable_ipv6=1
          address 10.0.1.1/24 dev br0
          route local 10.0.1.2/32 dev br0
          neighbour 10.0.1.4 02:42:0a:00:01:04 dev vxlan0
          neighbour 10.0.1.4 02:42:0a:00:01:04 dev br0
          neighbour 10.0.1.3 02:42:0a:00:01:03 dev br0
          forward 02:42:0a:00:01:04 dev vxlan0 to 192.0.2.2
          forward 02:42:0a:00:01:04 dev vxlan0
          forward 02:42:0a:00:01:03 dev veth0
          table ip skep
            set itself { type ipv4_addr . ipv4_addr }
              10.0.1.3 . 10.0.1.3
            map detours { type ipv4_addr . inet_proto . inet_service : verdict }
            set retried { type ipv4_addr . inet_proto . inet_service }
            set answering { type ipv4_addr . inet_proto . inet_service; size 65535; flags dynamic,timeout; timeout 10s }
            set repeated { type ipv4_addr . inet_service; size 65535; flags dynamic,timeout; timeout 30s }
            set occupied { type ipv4_addr }
              10.0.1.3
              10.0.1.4
            set members { type ipv4_addr . ipv4_addr }
              10.0.1.2 . 10.0.1.3
              10.0.1.2 . 10.0.1.4
            chain members { type nat hook postrouting priority srcnat - 10; policy accept; }
              ct status dnat ct original ip daddr . ip daddr != @members drop
            chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
              ip saddr . ip daddr @itself snat to 10.0.1.1
            chain past-refusals { type nat hook prerouting priority dstnat - 10; policy accept; }
              ip daddr . meta l4proto . th dport vmap @detours
            chain signs { type filter hook prerouting priority mangle; policy accept; }
              tcp flags ! syn,rst accept
              tcp flags syn,ack / syn,rst,ack ip saddr . meta l4proto . tcp sport @answering accept
              tcp flags syn,ack / syn,rst,ack limit rate 100/second burst 100 packets add @answering { ip saddr . meta l4proto . tcp sport } log group 23790 snaplen 128 queue-threshold 1
              tcp flags rst,ack / syn,rst,ack tcp sequence 0 limit rate 100/second burst 100 packets log group 23790 snaplen 128 queue-threshold 1
              tcp flags rst,ack / syn,rst,ack tcp sequence 0 ct original ip daddr . meta l4proto . ct original proto-dst @retried jump repeat
              icmp type destination-unreachable icmp code port-unreachable ct direction reply limit rate 50/second burst 50 packets log group 23790 snaplen 128 queue-threshold 1
            chain repeat
              ip daddr . tcp dport @repeated return
              add @repeated { ip daddr . tcp dport } drop
            chain segments { type filter hook forward priority mangle; policy accept; }
              tcp flags syn / syn,rst tcp option maxseg size set rt mtu
            chain vacant
              ct direction reply accept
              ct status dnat accept
              fib daddr type != unicast accept
              reject with tcp reset
              reject
            chain absent { type filter hook prerouting priority filter; policy accept; }
              ip daddr 10.0.1.0/24 ip daddr != @occupied jump vacant
          balancer ip of addresses
            10.0.1.2 service-s1 to 10.0.1.3, 10.0.1.4

        """, Space(PlanExample.Node(), "2-demo00id"));

    [Fact]
    public void Ingress_sbox_stands_on_both_networks_and_forwards_nothing() => Assert.Equal(
        """
        space ingress_sbox
          end eth0 02:42:0a:00:00:0b mtu 1450
          end eth1 02:42:ac:12:00:02 mtu 1500
          sysctl net.ipv4.ip_forward=0
          sysctl net.ipv4.conf.all.rp_filter=0
          sysctl net.ipv4.conf.eth0.rp_filter=0
          sysctl net.ipv4.conf.eth0.route_localnet=1
          sysctl net.ipv4.conf.eth1.rp_filter=0
          sysctl net.ipv4.conf.all.send_redirects=0
          sysctl net.ipv6.conf.all.disable_ipv6=1
          address 10.0.0.11/24 dev eth0
          address 172.18.0.2/16 dev eth1
          route default via 172.18.0.1 dev eth1
          table ip skep
            set answering { type ipv4_addr . inet_proto . inet_service; size 65535; flags dynamic,timeout; timeout 10s }
            set members { type inet_proto . inet_service . ipv4_addr . inet_service }
            set member-ranges { type inet_proto . inet_service . ipv4_addr; flags interval }
            chain signs { type filter hook prerouting priority mangle; policy accept; }
              iifname != "eth0" accept
              tcp flags ! syn,rst accept
              tcp flags syn,ack / syn,rst,ack ip saddr . meta l4proto . tcp sport @answering accept
              tcp flags syn,ack / syn,rst,ack limit rate 100/second burst 100 packets add @answering { ip saddr . meta l4proto . tcp sport } log group 23790 snaplen 128 queue-threshold 1
              tcp flags rst,ack / syn,rst,ack tcp sequence 0 limit rate 100/second burst 100 packets log group 23790 snaplen 128 queue-threshold 1
              icmp type destination-unreachable icmp code port-unreachable ct direction reply limit rate 50/second burst 50 packets log group 23790 snaplen 128 queue-threshold 1
            chain members { type nat hook postrouting priority srcnat - 10; policy accept; }
              oifname != "eth0" accept
              ct status ! dnat accept
              meta l4proto { tcp, udp, sctp } meta l4proto . ct original proto-dst . ip daddr . th dport @members accept
              meta l4proto { tcp, udp, sctp } meta l4proto . ct original proto-dst . ip daddr @member-ranges accept
              drop
            chain translations { type nat hook prerouting priority dstnat; policy accept; }
              ct status dnat accept
            chain forward { type filter hook forward priority filter; policy accept; }
              drop

        """, Space(PlanExample.Node(), "ingress_sbox"));

    [Fact]
    public void A_container_answers_the_mesh_through_the_mesh_and_leaves_by_the_gateway_bridge() => Assert.Equal(
        """
        space aaaaaaaaaaaa
          end eth0 02:42:0a:00:00:05 mtu 1450
          end eth1 02:42:0a:00:01:03 mtu 1450
          end eth2 02:42:ac:12:00:03 mtu 1500
          sysctl net.ipv4.ip_unprivileged_port_start=0 once
          sysctl net.ipv4.ping_group_range=0	2147483647 once
          sysctl net.ipv4.conf.all.rp_filter=2 once
          sysctl net.ipv6.conf.eth0.disable_ipv6=1 once
          sysctl net.ipv6.conf.eth1.disable_ipv6=1 once
          sysctl net.ipv4.tcp_fwmark_accept=1 once
          sysctl net.ipv4.fwmark_reflect=1 once
          sysctl net.ipv6.fwmark_reflect=1 once
          sysctl net.ipv6.conf.eth2.disable_ipv6=1 once
          address 10.0.0.5/24 dev eth0
          address 10.0.1.3/24 dev eth1
          address 172.18.0.3/16 dev eth2
          route 10.0.0.0/24 dev eth0 table 100
          route default via 10.0.0.1 dev eth0 table 100
          route default via 172.18.0.1 dev eth2
          rule from 10.0.0.5/32 lookup 100 priority 100
          table ip skep_names
            chain untracked { type filter hook output priority raw; policy accept; }
              oifname != "lo" accept
              ip daddr 127.0.0.11 udp dport 53 notrack udp dport set 61053 accept
              ip saddr 127.0.0.11 udp sport 61053 notrack udp sport set 53 accept
              ip daddr 127.0.0.11 tcp dport 53 notrack tcp dport set 61053 accept
              ip saddr 127.0.0.11 tcp sport 61053 tcp flags rst,ack / rst,ack tcp sequence 0 drop
              ip saddr 127.0.0.11 tcp sport 61053 notrack tcp sport set 53 accept
              ip saddr 127.0.0.11 icmp type destination-unreachable drop
          table ip skep
            set entry-nodes { type mark . ether_addr }
              0x0b00000a . 02:42:0a:00:00:0b
              0x0b00008a . 02:42:8a:00:00:0b
              0x0c00000a . 02:42:0a:00:00:0c
              0x0c00008a . 02:42:8a:00:00:0c
            map clients { type ipv4_addr . inet_proto . inet_service . inet_service : mark; size 65536; flags dynamic,timeout; timeout 3m }
            chain entrance { type filter hook prerouting priority mangle; policy accept; }
              iifname != "eth0" accept
              meta l4proto { udp, sctp } goto datagrams
              meta mark set @ll,64,32
              meta mark . ether saddr != @entry-nodes drop
            chain datagrams
              meta mark set ip saddr . meta l4proto . th sport . th dport map @clients
              meta mark . ether saddr @entry-nodes update @clients { ip saddr . meta l4proto . th sport . th dport : meta mark } accept
              delete @clients { ip saddr . meta l4proto . th sport . th dport : meta mark }
              meta mark set @ll,64,32
              meta mark . ether saddr != @entry-nodes drop
              add @clients { ip saddr . meta l4proto . th sport . th dport : meta mark }
            chain answers { type route hook output priority mangle; policy accept; }
              meta mark != 0x00000000 accept
              meta l4proto != { udp, sctp } accept
              meta mark set ip daddr . meta l4proto . th dport . th sport map @clients update @clients { ip daddr . meta l4proto . th dport . th sport : meta mark } ip saddr set 10.0.0.5
          table netdev skep
            map entry-nodes { type mark : ether_addr }
              0x0b00000a : 02:42:0a:00:00:0b
              0x0b00008a : 02:42:8a:00:00:0b
              0x0c00000a : 02:42:0a:00:00:0c
              0x0c00008a : 02:42:8a:00:00:0c
            chain replies { type filter hook egress device "eth0" priority filter; policy accept; }
              ether daddr set meta mark map @entry-nodes

        """, Space(PlanExample.Node(), "aaaaaaaaaaaa"));

    [Fact]
    public void Ingress_is_a_bridge_on_which_tasks_meet_nobody_and_pass_for_nobody_else()
    {
        var space = Space(PlanExample.Node(), "1-ingress0id");
        Assert.Contains("link veth0 to ingress_sbox/eth0 02:42:0a:00:00:0b mtu 1450 master br0 hairpin locked\n", space, StringComparison.Ordinal);
        Assert.Contains("link veth1 to aaaaaaaaaaaa/eth0 02:42:0a:00:00:05 mtu 1450 master br0 hairpin isolated locked\n", space, StringComparison.Ordinal);
        Assert.Contains("sysctl net.ipv4.ip_forward=0", space, StringComparison.Ordinal);
        Assert.Contains("sysctl net.bridge.bridge-nf-call-iptables=0", space, StringComparison.Ordinal);
        Assert.DoesNotContain("table ", space, StringComparison.Ordinal);
        Assert.DoesNotContain("10.0.0.4", space, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EndpointState.Active, EndpointState.Draining, "10.0.1.3")]
    [InlineData(EndpointState.Starting, EndpointState.Active, "10.0.1.4")]
    [InlineData(EndpointState.Draining, EndpointState.Starting, null)]
    public void New_flows_go_to_active_endpoints_only(EndpointState here, EndpointState there, string? backend)
    {
        var wanted = DesiredState.Compute(PlanExample.Node(PlanExample.DemoPlan(here, there)));
        var balance = Assert.Single(wanted.Spaces.Single(s => s.Name == "2-demo00id").Merged().Balances);
        Assert.Equal(backend is null ? [] : [backend], balance.Backends.Select(b => b.ToString()));
        Assert.Contains("neighbour 10.0.1.4", wanted.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_host_publishes_on_its_own_addresses_and_lets_only_peers_into_its_tunnels()
    {
        var host = DesiredState.Compute(PlanExample.Node()).Spaces[0].ToString();
        Assert.Contains("tcp . 8080 : 172.18.0.3 . 80", host, StringComparison.Ordinal);
        Assert.Contains("  link skep-ingress to 1-ingress0id/vethmesh 02:54:0a:00:00:0b mtu 1450\n", host, StringComparison.Ordinal);
        Assert.Contains("  route 10.0.0.0/24 dev skep-ingress table 29547\n", host, StringComparison.Ordinal);
        Assert.Contains("  balancer ip of ports\n    tcp . 8000 port-tcp-8000 to 10.0.0.5, 10.0.0.6 port 3000\n", host, StringComparison.Ordinal);
        Assert.Contains("fib daddr type local meta l4proto . th dport @relayed-ports dnat to 172.18.0.2", host, StringComparison.Ordinal);
        Assert.Contains("udp dport 4789 @th,96,24 0x1001 fib daddr type != unicast drop", host, StringComparison.Ordinal);
        Assert.Contains("192.0.2.2", host, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1400, null, 1350)]
    [InlineData(1500, null, 1450)]
    [InlineData(9000, null, 1450)]
    [InlineData(1400, 1300, 1300)]
    [InlineData(1400, 9000, 1350)]
    public void A_networks_mtu_is_what_the_ways_to_its_nodes_carry_and_its_option_at_most(int path, int? option, int expected)
    {
        var node = PlanExample.Node(network: PlanExample.Demo with { Mtu = option });
        node = node with
        {
            Facts = node.Facts with { PathMtus = System.Collections.Immutable.ImmutableDictionary<string, int>.Empty.Add("n2", path) },
            Plan = node.Plan with { Networks = node.Plan.Networks.SetItem("demo00id", node.Plan.Networks["demo00id"] with { Network = PlanExample.Demo with { Mtu = option } }) },
        };
        Assert.Contains($"link vxlan0 vxlan 4097 port 4789 local 192.0.2.1 mtu {expected} ", Space(node, "2-demo00id"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1330, true)]
    [InlineData(1329, false)]
    public void A_network_has_no_IPv6_where_the_ways_are_too_narrow_for_it(int path, bool six)
    {
        var demo = PlanExample.Demo with { EnableIPv6 = true, Subnets = [.. PlanExample.Demo.Subnets, new Skep.Model.Specs.IpamConfig { Subnet = "fd00:1::/64", Gateway = "fd00:1::1" }] };
        var node = PlanExample.Node(PlanExample.DemoPlan() with { Network = demo }, demo);
        node = node with { Facts = node.Facts with { PathMtus = System.Collections.Immutable.ImmutableDictionary<string, int>.Empty.Add("n2", path) } };

        var space = Space(node, "2-demo00id");
        Assert.Equal(six, space.Contains("address fd00:1::1/64", StringComparison.Ordinal));
        Assert.Contains("address 10.0.1.1/24", space, StringComparison.Ordinal);
    }

    private static string Space(NodeView node, string name) => DesiredState.Compute(node).Spaces.Single(s => s.Name == name).ToString();
}
