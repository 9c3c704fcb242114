using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

public sealed class RouteTests : IDisposable
{
    private readonly NamespaceFixture _namespaces = new();
    private readonly NetworkNamespace _here;
    private readonly RouteNetlink _routes;
    private readonly int _link;

    public RouteTests()
    {
        _here = _namespaces.Create("here");
        _routes = RouteNetlink.Open(_here);
        _routes.AddVxlan("vxlan0", new VxlanOptions { Vni = 42 });
        _link = _routes.FindLink("vxlan0")!.Index;
        _routes.AddAddress(_link, IPAddress.Parse("10.0.0.5"), 16);
        _routes.AddAddress(_link, IPAddress.Parse("fd00::5"), 64);
        _routes.SetLink(_link, new LinkChange { Up = true });
    }

    public void Dispose()
    {
        _routes.Dispose();
        _namespaces.Dispose();
    }

    public static TheoryData<string?, string?, uint> SomeRoutes => new()
    {
        { null, "10.0.0.1", 254 },
        { null, null, 100 },
        { "192.0.2.0/24", "10.0.0.1", 254 },
        { "192.0.2.0/24", null, 1000 },
        { null, "fd00::1", 254 },
        { "::/0", null, 100 },
        { "fd01::/64", "fd00::1", 1000 },
    };

    [Theory]
    [MemberData(nameof(SomeRoutes))]
    public void A_route_is_read_back_as_it_was_added(string? destination, string? gateway, uint table)
    {
        var wanted = new Route(
            destination is null ? null : IPNetwork.Parse(destination), gateway is null ? null : IPAddress.Parse(gateway), _link, table);
        _routes.AddRoute(wanted);
        _routes.AddRoute(wanted);
        Assert.Contains(wanted, _routes.Routes(table));
        Assert.True(_routes.DeleteRoute(wanted));
        Assert.False(_routes.DeleteRoute(wanted));
        Assert.DoesNotContain(wanted, _routes.Routes(table));
    }

    [Fact]
    public void A_route_takes_the_place_of_the_one_before()
    {
        _routes.AddRoute(new Route(null, IPAddress.Parse("10.0.0.1"), _link, 100));
        _routes.AddRoute(new Route(null, IPAddress.Parse("10.0.0.2"), _link, 100));
        Assert.Equal("10.0.0.2", Assert.Single(_routes.Routes(100)).Gateway!.ToString());
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork, "10.0.0.5/32")]
    [InlineData(AddressFamily.InterNetworkV6, "fd00::5/128")]
    public void A_rule_is_added_once_and_deleted_once(AddressFamily family, string from)
    {
        foreach (var rule in (Rule[])[new(family, IPNetwork.Parse(from), null, 100, 50), new(family, null, 7, 1000, 51)])
        {
            Assert.True(_routes.AddRule(rule));
            Assert.False(_routes.AddRule(rule));
            Assert.Contains(rule, _routes.Rules(family));
            Assert.True(_routes.DeleteRule(rule));
            Assert.False(_routes.DeleteRule(rule));
        }
    }

    [Fact]
    public async Task A_rule_of_others_is_deleted_by_all_that_it_asks_for()
    {
        var plain = new Rule(AddressFamily.InterNetwork, null, null, 100, 9);
        _routes.AddRule(plain);
        await NamespaceFixture.RunAsync(_here, "ip", "rule", "add", "pref", "9", "iif", "lo", "lookup", "100");
        var foreign = Assert.Single(_routes.Rules(AddressFamily.InterNetwork), r => r.Foreign is not null);
        Assert.Equal(plain, foreign with { Foreign = null });
        Assert.True(_routes.DeleteRule(foreign));
        Assert.DoesNotContain(foreign, _routes.Rules(AddressFamily.InterNetwork));
        Assert.Contains(plain, _routes.Rules(AddressFamily.InterNetwork));
    }

    [Theory]
    [InlineData("10.0.0.7")]
    [InlineData("fd00::7")]
    public void A_neighbour_is_set_replaced_and_deleted(string text)
    {
        var address = IPAddress.Parse(text);
        _routes.SetNeighbour(_link, address, "02:42:0a:00:00:07");
        _routes.SetNeighbour(_link, address, "02:42:0a:00:00:08");
        var found = Assert.Single(_routes.Neighbours(_link), neighbour => neighbour.Address.Equals(address));
        Assert.Equal(("02:42:0a:00:00:08", true), (found.Mac, found.Permanent));
        Assert.Empty(_routes.Neighbours(1));
        Assert.True(_routes.DeleteNeighbour(_link, address));
        Assert.DoesNotContain(_routes.Neighbours(_link), neighbour => neighbour.Permanent);
    }

    [Fact]
    public void A_forwarding_entry_is_set_replaced_and_deleted()
    {
        const string mac = "02:42:0a:00:00:07";
        _routes.SetFdb(_link, mac, IPAddress.Parse("198.18.0.2"));
        _routes.SetFdb(_link, mac, IPAddress.Parse("198.18.0.3"));
        Assert.Contains(new FdbEntry(_link, mac, IPAddress.Parse("198.18.0.3"), Self: true, Permanent: true), _routes.Fdb(_link));
        Assert.Single(_routes.Fdb(_link), entry => entry.Mac == mac);
        Assert.True(_routes.DeleteFdb(_link, mac));
        Assert.False(_routes.DeleteFdb(_link, mac));
    }

    [Fact]
    public void A_thousand_endpoints_are_written_in_milliseconds_and_all_are_there()
    {
        var vtep = IPAddress.Parse("198.18.0.2");
        void Fill(RouteBatch batch)
        {
            for (var i = 0; i < 1000; i++)
            {
                var mac = MacAddress.Format([2, 66, 10, 0, (byte)(i >> 8), (byte)i]);
                batch.SetNeighbour(_link, new IPAddress([10, 0, (byte)(16 + (i >> 8)), (byte)i]), mac);
                batch.SetFdb(_link, mac, vtep);
            }
        }

        Assert.Empty(_routes.Batch(Fill));
        var took = Enumerable.Range(0, 5).Min(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            Assert.Empty(_routes.Batch(Fill));
            return Stopwatch.GetElapsedTime(start);
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"2000 changes: {took.TotalMilliseconds:f1} ms");

        // Milliseconds on an idle machine; the bound leaves room for a busy one and still catches a call per entry that waits.
        Assert.InRange(took.TotalMilliseconds, 0, 200);
        Assert.Equal(1000, _routes.Neighbours(_link).Count(neighbour => neighbour.Permanent));
        Assert.Equal(1000, _routes.Fdb(_link).Count(entry => vtep.Equals(entry.Vtep)));
    }

    [Fact]
    public void A_batch_reports_what_was_refused_and_does_the_rest()
    {
        var mac = "02:42:0a:00:00:07";
        var failures = _routes.Batch(batch =>
        {
            batch.SetFdb(_link, mac, IPAddress.Parse("198.18.0.2"));
            batch.SetFdb(9999, mac, IPAddress.Parse("198.18.0.2"));
            batch.DeleteFdb(_link, "02:42:0a:00:00:ff");
            batch.AddAddress(_link, IPAddress.Parse("10.0.0.5"), 16);
            batch.SetNeighbour(_link, IPAddress.Parse("10.0.0.7"), mac);
        });
        Assert.Contains("link 9999", Assert.Single(failures).Change, StringComparison.Ordinal);
        Assert.Single(_routes.Neighbours(_link), neighbour => neighbour.Permanent);
    }
}
