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
          sysctl net.ipv6.conf.all.forwarding=0
          address 10.0.1.1/24 dev br0
          address 10.0.1.2/32 dev br0
          neighbour 10.0.1.4 02:42:0a:00:01:04 dev vxlan0
          neighbour 10.0.1.4 02:42:0a:00:01:04 dev br0
          neighbour 10.0.1.3 02:42:0a:00:01:03 dev br0
          forward 02:42:0a:00:01:04 dev vxlan0 to 192.0.2.2
          forward 02:42:0a:00:01:04 dev vxlan0
          forward 02:42:0a:00:01:03 dev veth0
          table ip skep
            map vips { type ipv4_addr : verdict }
              10.0.1.2 : jump service-s1
            set itself { type ipv4_addr . ipv4_addr }
              10.0.1.3 . 10.0.1.3
            chain prerouting { type nat hook prerouting priority dstnat; policy accept; }
              ip daddr vmap @vips
            chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
              ip saddr . ip daddr @itself snat to 10.0.1.1
            chain service-s1
              meta l4proto { tcp, udp } dnat to numgen inc mod 2 map { 0 : 10.0.1.3, 1 : 10.0.1.4 }

        """, Space(PlanExample.Node(), "2-demo00id"));

    [Fact]
    public void Ingress_sbox_sends_a_published_port_to_the_tasks_in_turn() => Assert.Equal(
        """
        space ingress_sbox
          end eth0 02:42:0a:00:00:0b mtu 1450
          end eth1 02:42:ac:12:00:02 mtu 1500
          sysctl net.ipv4.ip_forward=1
          sysctl net.ipv4.conf.all.rp_filter=0
          sysctl net.ipv4.conf.eth0.rp_filter=0
          sysctl net.ipv4.conf.eth1.rp_filter=0
          sysctl net.ipv4.conf.all.send_redirects=0
          sysctl net.ipv6.conf.all.disable_ipv6=1
          address 10.0.0.11/24 dev eth0
          address 172.18.0.2/16 dev eth1
          route default via 172.18.0.1 dev eth1
          table ip skep
            map published { type inet_proto . inet_service : verdict }
              tcp . 8000 : jump port-tcp-8000
            chain prerouting { type nat hook prerouting priority dstnat; policy accept; }
              iifname "eth1" meta l4proto . th dport vmap @published
            chain forward { type filter hook forward priority filter; policy accept; }
              ct state established,related accept
              iifname "eth1" ct status dnat accept
              drop
            chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
              oifname "eth0" ip saddr 172.18.0.0/16 snat to 10.0.0.11
            chain port-tcp-8000
              meta l4proto tcp dnat to numgen inc mod 2 map { 0 : 10.0.0.5, 1 : 10.0.0.6 }:3000

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
          sysctl net.ipv6.conf.eth2.disable_ipv6=1 once
          address 10.0.0.5/24 dev eth0
          address 10.0.1.3/24 dev eth1
          address 172.18.0.3/16 dev eth2
          route 10.0.0.0/24 dev eth0 table 100
          route default via 10.0.0.1 dev eth0 table 100
          route default via 172.18.0.1 dev eth2
          rule from 10.0.0.5/32 lookup 100 priority 100

        """, Space(PlanExample.Node(), "aaaaaaaaaaaa"));

    [Fact]
    public void Only_an_entry_node_opens_flows_on_ingress_and_gets_their_replies()
    {
        var space = Space(PlanExample.Node(), "1-ingress0id");
        Assert.Contains("02:42:0a:00:00:0c : 0x0a00000c", space, StringComparison.Ordinal);
        Assert.Contains("ct state new ct mark 0x00000000 drop", space, StringComparison.Ordinal);
        Assert.Contains("rule fwmark 0xa00000c lookup 167772172", space, StringComparison.Ordinal);
        Assert.Contains("route default via 10.0.0.12 dev br0 table 167772172", space, StringComparison.Ordinal);
        Assert.DoesNotContain("10.0.0.4", space, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EndpointState.Active, EndpointState.Draining, "meta l4proto { tcp, udp } dnat to 10.0.1.3")]
    [InlineData(EndpointState.Starting, EndpointState.Active, "meta l4proto { tcp, udp } dnat to 10.0.1.4")]
    [InlineData(EndpointState.Draining, EndpointState.Starting, null)]
    public void New_flows_go_to_active_endpoints_only(EndpointState here, EndpointState there, string? rule)
    {
        var wanted = DesiredState.Compute(PlanExample.Node(PlanExample.DemoPlan(here, there)));
        var chain = wanted.Spaces.Single(s => s.Name == "2-demo00id").Tables[0].Chains.Single(c => c.Name == "service-s1");
        Assert.Equal(rule is null ? [] : [rule], chain.Rules);
        Assert.Contains("neighbour 10.0.1.4", wanted.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_host_publishes_on_its_own_addresses_and_lets_only_peers_into_its_tunnels()
    {
        var host = DesiredState.Compute(PlanExample.Node()).Spaces[0].ToString();
        Assert.Contains("tcp . 8080 : 172.18.0.3 . 80", host, StringComparison.Ordinal);
        Assert.Contains("fib daddr type local meta l4proto . th dport @ingress-ports dnat to 172.18.0.2", host, StringComparison.Ordinal);
        Assert.Contains("udp dport 4789 @th,96,24 0x1001 ip saddr != @vteps drop", host, StringComparison.Ordinal);
        Assert.Contains("192.0.2.2", host, StringComparison.Ordinal);
    }

    [Fact]
    public void An_encrypted_network_has_no_remote_places_in_the_clear()
    {
        var encrypted = PlanExample.Demo with { Encrypted = true };
        var wanted = DesiredState.Compute(PlanExample.Node(PlanExample.DemoPlan() with { Network = encrypted }, encrypted));
        Assert.DoesNotContain("to 192.0.2.2", wanted.Spaces.Single(s => s.Name == "2-demo00id").ToString(), StringComparison.Ordinal);
    }

    private static string Space(NodeView node, string name) => DesiredState.Compute(node).Spaces.Single(s => s.Name == name).ToString();
}
