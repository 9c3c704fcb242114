using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Links;
using Skep.Kernel.Routes;

namespace Skep.UnitTests.Kernel;

/// <summary>The bytes of each change, under the command they mean. nlmsghdr: length, type, flags, sequence (stamped later), port.</summary>
public sealed class RouteBatchTests
{
    private readonly RouteBatch _batch = new();

    [Fact]
    public void Add_bridge()
    {
        // ip link add br0 mtu 1450 type bridge mcast_snooping 0
        _batch.AddBridge("br0", new BridgeOptions { Mtu = 1450, McastSnooping = false });
        Golden.Check(
            """
            4C000000 1000 0106 00000000 00000000 | 00 00 0000 00000000 00000000 00000000
            0700 0300 62723000 | 0800 0400 AA050000
            1C00 1200 | 0A00 0100 6272696467650000 | 0C00 0200 | 0500 1700 00000000
            """, _batch.Written);
    }

    [Fact]
    public void Add_veth_with_its_peers_address()
    {
        // ip link add v0 type veth peer name eth0 address 02:42:0a:00:01:05
        _batch.AddVeth("v0", "eth0", options: new VethOptions { PeerMac = "02:42:0a:00:01:05" });
        Golden.Check(
            """
            60000000 1000 0106 00000000 00000000 | 00 00 0000 00000000 00000000 00000000
            0600 0300 76300000
            3800 1200 | 0800 0100 76657468 | 2C00 0200 | 2800 0100
            00 00 0000 00000000 00000000 00000000
            0800 0300 65746830 | 0A00 0100 02420A0001050000
            """, _batch.Written);
    }

    [Fact]
    public void Add_vxlan()
    {
        // ip link add vxlan0 type vxlan id 4097 dstport 4789 local 198.18.0.1 nolearning proxy
        _batch.AddVxlan("vxlan0", new VxlanOptions { Vni = 4097, Local = IPAddress.Parse("198.18.0.1"), Proxy = true });
        Golden.Check(
            """
            78000000 1000 0106 00000000 00000000 | 00 00 0000 00000000 00000000 00000000
            0A00 0300 76786C616E300000
            4C00 1200 | 0900 0100 76786C616E000000 | 3C00 0200
            0800 0100 01100000 | 0800 0400 C6120001 | 0500 0700 00000000 | 0500 0B00 01000000
            0500 0D00 00000000 | 0500 0E00 00000000 | 0600 0F00 12B50000
            """, _batch.Written);
    }

    [Fact]
    public void Set_link_up_in_a_bridge()
    {
        // ip link set dev <3> master <2> up
        _batch.SetLink(3, new LinkChange { Master = 2, Up = true });
        Golden.Check("28000000 1300 0100 00000000 00000000 | 00 00 0000 03000000 01000000 01000000 | 0800 0A00 02000000", _batch.Written);
    }

    [Fact]
    public void Set_hairpin()
    {
        // ip link set dev <3> type bridge_slave hairpin on
        _batch.SetBridgePort(3, new BridgePortChange { Hairpin = true });
        Golden.Check(
            """
            3C000000 1000 0100 00000000 00000000 | 00 00 0000 03000000 00000000 00000000
            1C00 1200 | 0A00 0400 6272696467650000 | 0C00 0500 | 0500 0400 01000000
            """, _batch.Written);
    }

    [Fact]
    public void Add_addresses_of_both_families()
    {
        // ip addr add 10.0.1.1/24 dev <2>
        _batch.AddAddress(2, IPAddress.Parse("10.0.1.1"), 24);

        // ip -6 addr add fd00::1/64 dev <2> nodad
        _batch.AddAddress(2, IPAddress.Parse("fd00::1"), 64);
        Golden.Check(
            """
            28000000 1400 0106 00000000 00000000 | 02 18 00 00 02000000 | 0800 0200 0A000101 | 0800 0100 0A000101
            40000000 1400 0106 00000000 00000000 | 0A 40 02 00 02000000
            1400 0200 FD000000000000000000000000000001 | 1400 0100 FD000000000000000000000000000001
            """, _batch.Written);
    }

    [Fact]
    public void Add_default_route()
    {
        // ip route replace default via 10.0.0.1 dev <2> table 100 proto static
        _batch.AddRoute(new Route(null, IPAddress.Parse("10.0.0.1"), 2, 100));
        Golden.Check(
            """
            34000000 1800 0105 00000000 00000000 | 02 00 00 00 64 04 00 01 00000000
            0800 0500 0A000001 | 0800 0400 02000000 | 0800 0F00 64000000
            """, _batch.Written);
    }

    [Fact]
    public void Add_route_on_a_link_in_a_table_above_255()
    {
        // ip route replace 10.0.0.0/24 dev <2> table 1000 proto static
        _batch.AddRoute(new Route(IPNetwork.Parse("10.0.0.0/24"), null, 2, 1000));
        Golden.Check(
            """
            34000000 1800 0105 00000000 00000000 | 02 18 00 00 00 04 FD 01 00000000
            0800 0100 0A000000 | 0800 0400 02000000 | 0800 0F00 E8030000
            """, _batch.Written);
    }

    [Fact]
    public void Add_rules()
    {
        // ip rule add from 10.0.0.21 lookup 100 priority 50
        _batch.AddRule(new Rule(AddressFamily.InterNetwork, IPNetwork.Parse("10.0.0.21/32"), null, 100, 50));

        // ip -6 rule add fwmark 1 lookup 101 priority 51
        _batch.AddRule(new Rule(AddressFamily.InterNetworkV6, null, 1, 101, 51));
        Golden.Check(
            """
            34000000 2000 0106 00000000 00000000 | 02 00 20 00 64 00 00 01 00000000
            0800 0200 0A000015 | 0800 0600 32000000 | 0800 0F00 64000000
            3C000000 2000 0106 00000000 00000000 | 0A 00 00 00 65 00 00 01 00000000
            0800 0A00 01000000 | 0800 1000 FFFFFFFF | 0800 0600 33000000 | 0800 0F00 65000000
            """, _batch.Written);
    }

    [Fact]
    public void Set_neighbour_and_forwarding_entry()
    {
        // ip neigh replace 10.0.1.7 lladdr 02:42:0a:00:01:07 dev <4> nud permanent
        _batch.SetNeighbour(4, IPAddress.Parse("10.0.1.7"), "02:42:0a:00:01:07");

        // bridge fdb replace 02:42:0a:00:01:07 dev <4> dst 198.18.0.2 self permanent
        _batch.SetFdb(4, "02:42:0a:00:01:07", IPAddress.Parse("198.18.0.2"));
        Golden.Check(
            """
            30000000 1C00 0105 00000000 00000000 | 02 00 0000 04000000 8000 00 00
            0800 0100 0A000107 | 0A00 0200 02420A0001070000
            30000000 1C00 0105 00000000 00000000 | 07 00 0000 04000000 8000 02 00
            0A00 0200 02420A0001070000 | 0800 0100 C6120002
            """, _batch.Written);
    }

    [Theory]
    [InlineData("02:42:0a:00:01")]
    [InlineData("02:42:0a:00:01:07:08")]
    [InlineData("02:42:0a:00:01:7")]
    [InlineData("02:42:0a:00:01:zz")]
    public void What_is_no_ethernet_address_is_refused(string mac) =>
        Assert.Throws<FormatException>(() => _batch.SetFdb(4, mac, IPAddress.Loopback));
}
