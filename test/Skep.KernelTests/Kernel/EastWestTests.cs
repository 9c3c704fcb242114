using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Kernel.Routes;
using Skep.Kernel.Sysctl;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

/// <summary>
/// The data plane's central trick with nothing but our own calls: two hosts joined by a veth, VXLAN between them, a virtual
/// address balanced on bridged packets over a local and a remote backend that both see the client's own address.
/// </summary>
public sealed class EastWestTests : IDisposable
{
    private static readonly IPAddress s_virtual = IPAddress.Parse("10.0.1.2");
    private static readonly IPAddress s_client = IPAddress.Parse("10.0.1.5");
    private static readonly IPAddress s_local = IPAddress.Parse("10.0.1.6");
    private static readonly IPAddress s_remote = IPAddress.Parse("10.0.1.7");
    private static readonly IPAddress s_hostA = IPAddress.Parse("198.18.0.1");
    private static readonly IPAddress s_hostB = IPAddress.Parse("198.18.0.2");
    private static readonly NftTable s_balancer = new(NftFamily.Ip, "balancer");

    private readonly NamespaceFixture _namespaces = new();

    public void Dispose() => _namespaces.Dispose();

    [Fact]
    public async Task A_virtual_address_is_balanced_over_a_local_and_a_remote_backend_that_see_the_client()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var (hostA, hostB) = (_namespaces.Create("hostA"), _namespaces.Create("hostB"));
        NamespaceFixture.Join(hostA, "e0", "198.18.0.1/24", hostB, "e0", "198.18.0.2/24");
        var (overlayA, overlayB) = (Overlay("A", hostA, s_hostA), Overlay("B", hostB, s_hostB));
        var client = Attach("client", overlayA, s_client);
        var (local, remote) = (Attach("local", overlayA, s_local), Attach("remote", overlayB, s_remote));
        Peer(overlayA, s_hostB, s_remote);
        Peer(overlayB, s_hostA, s_client, s_local);
        await BalanceAsync(overlayA, limit.Token);

        using var localServer = NamespaceFixture.Listen(local, 8000);
        using var remoteServer = NamespaceFixture.Listen(remote, 8000);
        var (localHits, remoteHits) = (AcceptAsync(localServer, 2, limit.Token), AcceptAsync(remoteServer, 2, limit.Token));
        for (var i = 0; i < 4; i++)
        {
            using var socket = NamespaceFixture.OpenSocket(client, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(s_virtual, 8000), limit.Token);
        }

        Assert.All(await localHits, seen => Assert.Equal(s_client, seen));
        Assert.All(await remoteHits, seen => Assert.Equal(s_client, seen));

        using var flows = ConntrackTable.Open(overlayA);
        var toRemote = new ConntrackFilter { OriginalDestination = s_virtual, ReplySource = s_remote, Protocol = 6 };
        Assert.Equal(2, flows.Entries(toRemote).Count);
        Assert.Equal(2, flows.Delete(toRemote));
        Assert.Empty(flows.Entries(toRemote));
    }

    [Fact]
    public async Task A_virtual_address_on_the_bridge_answers_ping()
    {
        var (host, other) = (_namespaces.Create("hostA"), _namespaces.Create("hostB"));
        NamespaceFixture.Join(host, "e0", "198.18.0.1/24", other, "e0", "198.18.0.2/24");
        var overlay = Overlay("A", host, s_hostA);
        var client = Attach("client", overlay, s_client);
        await BalanceAsync(overlay, CancellationToken.None);
        Assert.Contains("1 received", await NamespaceFixture.RunAsync(client, "ping", "-c1", "-W2", "10.0.1.2"), StringComparison.Ordinal);
    }

    private static async Task BalanceAsync(NetworkNamespace overlay, CancellationToken cancellationToken)
    {
        using var routes = RouteNetlink.Open(overlay);
        routes.AddAddress(routes.FindLink("br0")!.Index, s_virtual, 32);
        SysctlFile.Set(overlay, "net.bridge.bridge-nf-call-iptables", "1");
        SysctlFile.Set(overlay, "net.ipv4.ip_forward", "1");
        var nftables = new Nftables(overlay);
        var rules = new NftTransaction()
            .AddTable(s_balancer)
            .AddChain(s_balancer, "prerouting", new NftHook("nat", "prerouting", "dstnat"))
            .AddRule(s_balancer, "prerouting", "ip daddr 10.0.1.2 meta l4proto { tcp, udp } dnat to numgen inc mod 2 map { 0 : 10.0.1.6, 1 : 10.0.1.7 }");
        await nftables.RunAsync(rules, cancellationToken);
    }

    private static void Peer(NetworkNamespace overlay, IPAddress vtep, params IPAddress[] endpoints)
    {
        using var routes = RouteNetlink.Open(overlay);
        var vxlan = routes.FindLink("vxlan0")!.Index;
        Assert.Empty(routes.Batch(batch =>
        {
            foreach (var endpoint in endpoints)
            {
                batch.SetNeighbour(vxlan, endpoint, Mac(endpoint));
                batch.SetFdb(vxlan, Mac(endpoint), vtep);
            }
        }));
    }

    private static string Mac(IPAddress address) => MacAddress.Format([0x02, 0x42, .. address.GetAddressBytes()]);

    private static async Task<List<IPAddress>> AcceptAsync(Socket server, int count, CancellationToken cancellationToken)
    {
        var seen = new List<IPAddress>();
        while (seen.Count < count)
        {
            using var connection = await server.AcceptAsync(cancellationToken);
            seen.Add(((IPEndPoint)connection.RemoteEndPoint!).Address);
        }

        return seen;
    }

    private NetworkNamespace Overlay(string name, NetworkNamespace host, IPAddress underlay)
    {
        var overlay = _namespaces.Create($"overlay{name}");
        using var hostRoutes = RouteNetlink.Open(host);
        using var routes = RouteNetlink.Open(overlay);
        hostRoutes.AddVxlan("vxlan0", new VxlanOptions { Vni = 4097, Local = underlay, Proxy = true });
        hostRoutes.SetLink(hostRoutes.FindLink("vxlan0")!.Index, new LinkChange { Namespace = overlay });
        routes.AddBridge("br0");
        var bridge = routes.FindLink("br0")!.Index;
        routes.AddAddress(bridge, IPAddress.Parse("10.0.1.1"), 24);
        routes.SetLink(bridge, new LinkChange { Up = true });
        routes.SetLink(routes.FindLink("vxlan0")!.Index, new LinkChange { Master = bridge, Up = true });
        return overlay;
    }

    private NetworkNamespace Attach(string name, NetworkNamespace overlay, IPAddress address)
    {
        var inside = _namespaces.Create(name);
        using var overlayRoutes = RouteNetlink.Open(overlay);
        using var routes = RouteNetlink.Open(inside);
        overlayRoutes.AddVeth($"v-{name}", "eth0", inside, new VethOptions { PeerMac = Mac(address), PeerMtu = 1450, Mtu = 1450 });
        var port = overlayRoutes.FindLink($"v-{name}")!.Index;
        overlayRoutes.SetLink(port, new LinkChange { Master = overlayRoutes.FindLink("br0")!.Index, Up = true });
        overlayRoutes.SetBridgePort(port, new BridgePortChange { Hairpin = true });
        var eth0 = routes.FindLink("eth0")!.Index;
        routes.AddAddress(eth0, address, 24);
        routes.SetLink(eth0, new LinkChange { Up = true });
        return inside;
    }
}
