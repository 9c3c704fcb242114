using System.Net;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Kernel.Routes;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

public sealed class LinkTests : IDisposable
{
    private readonly NamespaceFixture _namespaces = new();
    private readonly NetworkNamespace _here;
    private readonly RouteNetlink _routes;

    public LinkTests()
    {
        _here = _namespaces.Create("here");
        _routes = RouteNetlink.Open(_here);
    }

    public void Dispose()
    {
        _routes.Dispose();
        _namespaces.Dispose();
    }

    [Fact]
    public async Task A_bridge_is_made_once_and_deleted_once()
    {
        var options = new BridgeOptions { Mtu = 1450, Mac = "02:42:0a:00:01:01", DefaultPvid = 0, McastSnooping = false, VlanFiltering = false };
        Assert.True(_routes.AddBridge("br0", options));
        Assert.False(_routes.AddBridge("br0"));
        var bridge = _routes.FindLink("br0")!;
        Assert.Equal(("bridge", "02:42:0a:00:01:01", 1450, false), (bridge.Kind, bridge.Mac, bridge.Mtu, bridge.Up));
        var shown = await NamespaceFixture.RunAsync(_here, "ip", "-d", "link", "show", "br0");
        Assert.Contains("mcast_snooping 0", shown, StringComparison.Ordinal);
        Assert.True(_routes.DeleteLink(bridge.Index));
        Assert.False(_routes.DeleteLink(bridge.Index));
        Assert.Null(_routes.FindLink("br0"));
    }

    [Fact]
    public void A_veth_pair_spans_two_namespaces()
    {
        var there = _namespaces.Create("there");
        using var far = RouteNetlink.Open(there);
        Assert.True(_routes.AddVeth("v0", "eth0", there, new VethOptions { Mtu = 1400, PeerMtu = 1300, PeerMac = "02:42:0a:00:01:05" }));
        var (near, peer) = (_routes.FindLink("v0")!, far.FindLink("eth0")!);
        Assert.Equal((1400, 1300, "02:42:0a:00:01:05"), (near.Mtu, peer.Mtu, peer.Mac));
        Assert.Equal((peer.Index, near.Index), (near.PeerIndex, peer.PeerIndex));
        Assert.Equal("veth", peer.Kind);
        Assert.False(_routes.AddVeth("v0", "eth1", there));
    }

    [Fact]
    public void A_vxlan_device_is_read_back_as_it_was_made_after_its_move()
    {
        var overlay = _namespaces.Create("overlay");
        using var inside = RouteNetlink.Open(overlay);
        var options = new VxlanOptions { Vni = 4097, Port = 4790, Local = IPAddress.Parse("198.18.0.1"), Proxy = true, L2Miss = true };
        Assert.True(_routes.AddVxlan("vx", options));
        _routes.SetLink(_routes.FindLink("vx")!.Index, new LinkChange { Namespace = overlay, Name = "vxlan0", Mtu = 1450, Alias = "vni 4097", Up = false });
        Assert.Null(_routes.FindLink("vx"));
        var moved = inside.FindLink("vxlan0")!;
        Assert.Equal(options, moved.Vxlan);
        Assert.Equal((1450, "vni 4097", "vxlan"), (moved.Mtu, moved.Alias, moved.Kind));
    }

    [Fact]
    public void A_vxlan_device_can_run_over_ipv6()
    {
        var options = new VxlanOptions { Vni = 1, Local = IPAddress.Parse("fd00::1") };
        Assert.True(_routes.AddVxlan("vx6", options));
        Assert.Equal(options, _routes.FindLink("vx6")!.Vxlan);
    }

    [Fact]
    public void A_port_joins_a_bridge_is_set_and_leaves_it()
    {
        _routes.AddBridge("br0");
        _routes.AddVeth("v0", "v1");
        var (bridge, port) = (_routes.FindLink("br0")!.Index, _routes.FindLink("v0")!.Index);
        _routes.SetLink(port, new LinkChange { Master = bridge, Up = true });
        var wanted = new BridgePortChange
        {
            Hairpin = true, Learning = false, Isolated = true, Locked = true, NeighSuppress = true, UnicastFlood = false, McastFlood = false, BcastFlood = false,
        };
        _routes.SetBridgePort(port, wanted);
        var link = _routes.FindLink("v0")!;
        // Its other end is down.
        Assert.Equal((bridge, true, true, false, wanted with { Forwards = false }), (link.Master, link.Up, link.Hairpin, link.HasCarrier, link.Port));
        _routes.SetBridgePort(port, new BridgePortChange { Hairpin = false });
        Assert.Equal(wanted with { Hairpin = false, Forwards = false }, _routes.FindLink("v0")!.Port);
        _routes.SetLink(port, new LinkChange { Master = 0 });
        Assert.Equal((0, null), (_routes.FindLink("v0")!.Master, _routes.FindLink("v0")!.Port));
    }

    [Fact]
    public async Task A_bridge_is_set_in_place_and_a_port_with_a_carrier_is_closed_and_opened()
    {
        _routes.AddBridge("br0", new BridgeOptions { McastSnooping = false });
        _routes.AddVeth("v0", "v1");
        var (bridge, port, end) = (_routes.FindLink("br0")!, _routes.FindLink("v0")!.Index, _routes.FindLink("v1")!.Index);
        Assert.Equal((false, false), (bridge.Bridge!.Stp, bridge.Bridge.McastSnooping));
        _routes.SetLink(bridge.Index, new LinkChange { Up = true });
        _routes.SetLink(port, new LinkChange { Master = bridge.Index, Up = true });
        _routes.SetLink(end, new LinkChange { Up = true });
        // The kernel opens a port a moment after its carrier came.
        Assert.True(SpinWait.SpinUntil(() => _routes.FindLink("v0") is { HasCarrier: true, Port.Forwards: true }, TimeSpan.FromSeconds(10)));
        await NamespaceFixture.RunAsync(_here, "bridge", "link", "set", "dev", "v0", "state", "0");
        Assert.Equal((true, false), (_routes.FindLink("v0")!.HasCarrier, _routes.FindLink("v0")!.Port!.Forwards));
        _routes.SetBridgePort(port, new BridgePortChange { Forwards = true });
        Assert.True(_routes.FindLink("v0")!.Port!.Forwards);
        _routes.SetBridge(bridge.Index, new BridgeChange { Stp = true, McastSnooping = true });
        Assert.Equal(bridge.Bridge with { Stp = true, McastSnooping = true }, _routes.FindLink("br0")!.Bridge);
        _routes.SetBridge(bridge.Index, new BridgeChange { Stp = false });
        Assert.Equal(bridge.Bridge with { McastSnooping = true }, _routes.FindLink("br0")!.Bridge);
    }

    [Theory]
    [InlineData("10.0.1.1", 24)]
    [InlineData("10.0.1.2", 32)]
    [InlineData("fd00:1::1", 64)]
    public void An_address_is_added_once_and_deleted_once(string text, int prefix)
    {
        _routes.AddBridge("br0");
        var (bridge, address) = (_routes.FindLink("br0")!.Index, IPAddress.Parse(text));
        Assert.True(_routes.AddAddress(bridge, address, prefix));
        Assert.False(_routes.AddAddress(bridge, address, prefix));
        Assert.Contains(new LinkAddress(bridge, address, prefix), _routes.Addresses());
        Assert.True(_routes.DeleteAddress(bridge, address, prefix));
        Assert.False(_routes.DeleteAddress(bridge, address, prefix));
    }

    [Fact]
    public void A_refusal_has_the_kernels_own_words()
    {
        _routes.AddVeth("v0", "v1");
        var refusal = Assert.Throws<NetlinkException>(() => _routes.SetLink(9999, new LinkChange { Up = true }));
        Assert.Equal(19, refusal.Errno);
        var tooFar = Assert.Throws<NetlinkException>(() => _routes.AddVxlan("vx", new VxlanOptions { Vni = 1 << 24 }));
        Assert.StartsWith("add vxlan vx with id 16777216: ", tooFar.Message, StringComparison.Ordinal);
        Assert.Contains("(", tooFar.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _routes.AddBridge("a-name-that-is-too-long"));
    }

    [Fact]
    public void All_links_are_listed_however_many()
    {
        Assert.Empty(_routes.Batch(batch =>
        {
            for (var i = 0; i < 150; i++)
            {
                batch.AddVeth($"a{i}", $"b{i}");
            }
        }));
        Assert.Equal(301, _routes.Links().Count);
    }
}
