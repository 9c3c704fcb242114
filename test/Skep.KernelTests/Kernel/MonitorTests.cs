using System.Net;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Kernel.Routes;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

public sealed class MonitorTests : IDisposable
{
    private readonly NamespaceFixture _namespaces = new();
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(20));
    private readonly NetworkNamespace _here;
    private readonly RouteNetlink _routes;

    public MonitorTests()
    {
        _here = _namespaces.Create("here");
        _routes = RouteNetlink.Open(_here);
    }

    public void Dispose()
    {
        _routes.Dispose();
        _limit.Dispose();
        _namespaces.Dispose();
    }

    [Fact]
    public async Task Every_kind_of_change_is_told_with_who_made_it()
    {
        var notices = RouteMonitor.FollowAsync(_here, 0, _limit.Token);
        _routes.AddVxlan("vxlan0", new VxlanOptions { Vni = 7 });
        var link = _routes.FindLink("vxlan0")!.Index;
        _routes.SetLink(link, new LinkChange { Up = true });
        _routes.AddAddress(link, IPAddress.Parse("10.0.0.1"), 24);
        _routes.AddRoute(new Route(null, IPAddress.Parse("10.0.0.2"), link, 100));
        _routes.AddRule(new Rule(System.Net.Sockets.AddressFamily.InterNetwork, null, 3, 100, 9));
        _routes.SetNeighbour(link, IPAddress.Parse("10.0.0.7"), "02:42:0a:00:00:07");
        _routes.SetFdb(link, "02:42:0a:00:00:07", IPAddress.Parse("198.18.0.2"));
        _routes.DeleteLink(link);

        var seen = new List<RouteNotice>();
        await foreach (var notice in notices.WithCancellation(_limit.Token))
        {
            seen.Add(notice);
            if (notice is RouteNotice.LinkNotice { Removed: true })
            {
                break;
            }
        }

        Assert.Contains(seen, notice => notice is RouteNotice.LinkNotice { Link.Name: "vxlan0", Removed: false });
        Assert.Contains(seen, notice => notice is RouteNotice.AddressNotice { Address.PrefixLength: 24 } && notice.PortId == _routes.PortId);
        Assert.Contains(seen, notice => notice is RouteNotice.RoutingNotice { Route.Table: 100 } && notice.PortId == _routes.PortId);
        Assert.Contains(seen, notice => notice is RouteNotice.RuleNotice { Rule.Mark: 3u });
        Assert.Contains(seen, notice => notice is RouteNotice.NeighbourNotice { Neighbour.Permanent: true, Removed: false });
        Assert.Contains(seen, notice => notice is RouteNotice.FdbNotice { Entry.Self: true, Removed: false });
    }

    [Fact]
    public async Task Lost_notices_are_told_as_an_overrun_and_following_goes_on()
    {
        await using var notices = RouteMonitor.FollowAsync(_here, 0, _limit.Token).GetAsyncEnumerator(_limit.Token);
        _routes.AddVxlan("vxlan0", new VxlanOptions { Vni = 7 });
        var link = _routes.FindLink("vxlan0")!.Index;
        for (var round = 0; round < 50; round++)
        {
            _routes.Batch(batch =>
            {
                for (var i = 0; i < 1000; i++)
                {
                    batch.SetNeighbour(link, new IPAddress([10, 9, (byte)(i >> 8), (byte)i]), $"02:42:0a:00:00:{round:x2}");
                }
            });
        }

        while (await notices.MoveNextAsync() && notices.Current is not RouteNotice.Overrun)
        {
        }

        _routes.DeleteLink(link);
        while (await notices.MoveNextAsync() && notices.Current is not RouteNotice.LinkNotice { Removed: true })
        {
        }
    }

    [Fact]
    public async Task Changes_of_a_socket_that_is_named_are_not_told_and_anothers_are()
    {
        await using var notices = RouteMonitor.FollowAsync(_here, _routes.PortId, _limit.Token).GetAsyncEnumerator(_limit.Token);
        var loopback = _routes.FindLink("lo")!.Index;
        _routes.AddAddress(loopback, IPAddress.Parse("10.9.0.1"), 32);
        using var other = RouteNetlink.Open(_here);
        other.AddAddress(loopback, IPAddress.Parse("10.9.0.2"), 32);
        var told = new List<IPAddress>();
        while (told.Count == 0 && await notices.MoveNextAsync())
        {
            told.AddRange(notices.Current is RouteNotice.AddressNotice { Address.Address: var address } ? [address] : []);
        }

        Assert.Equal([IPAddress.Parse("10.9.0.2")], told);
    }

    [Fact]
    public async Task Following_ends_by_cancellation()
    {
        using var stop = new CancellationTokenSource();
        await using var notices = RouteMonitor.FollowAsync(_here, 0, stop.Token).GetAsyncEnumerator();
        var next = notices.MoveNextAsync().AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task An_own_change_of_the_rules_is_told_from_anothers()
    {
        await using var notices = NftMonitor.FollowAsync(_here, _limit.Token).GetAsyncEnumerator();
        var nftables = new Nftables(_here);
        await nftables.RunAsync(new NftTransaction().AddTable(new NftTable(NftFamily.Ip, "mine")), _limit.Token);
        Assert.True(await notices.MoveNextAsync());
        var own = notices.Current;
        await NamespaceFixture.RunAsync(_here, "nft", "flush ruleset");
        Assert.True(await notices.MoveNextAsync());
        var foreign = notices.Current;

        Assert.True(own.IsOwn);
        Assert.Equal((false, "nft"), (foreign.IsOwn, foreign.ProcessName));
        Assert.Equal(own.Generation + 1, foreign.Generation);
    }
}
