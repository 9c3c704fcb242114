using System.Net;
using System.Net.Sockets;
using Skep.Manager.Allocation;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.UnitTests.Manager.Allocation;

public sealed class AddressPoolTests
{
    private static AddressPool Pool(string subnet, string? gateway = null, string? range = null)
    {
        var pool = new AddressPool();
        pool.Configure([new IpamConfig { Subnet = subnet, Gateway = gateway, IPRange = range }]);
        return pool;
    }

    [Fact]
    public void Addresses_rise_and_a_freed_one_comes_last()
    {
        var pool = Pool("10.0.1.0/29", "10.0.1.1");
        Assert.Equal("10.0.1.2/29", pool.Take("a", AddressFamily.InterNetwork));
        Assert.Equal("10.0.1.3/29", pool.Take("b", AddressFamily.InterNetwork));
        pool.Release("a", (AddressFamily.InterNetwork, AddressRange.ToNumber(IPAddress.Parse("10.0.1.2"))));
        Assert.Equal("10.0.1.4/29", pool.Take("c", AddressFamily.InterNetwork));
        Assert.Equal("10.0.1.5/29", pool.Take("d", AddressFamily.InterNetwork));
        Assert.Equal("10.0.1.6/29", pool.Take("e", AddressFamily.InterNetwork));
        Assert.Equal("10.0.1.2/29", pool.Take("f", AddressFamily.InterNetwork));
        Assert.Null(pool.Take("g", AddressFamily.InterNetwork));
        var (total, owners) = pool.Usage(AddressFamily.InterNetwork);
        Assert.Equal((UInt128)5, total);
        Assert.Equal(["b", "c", "d", "e", "f"], owners.Order());
    }

    [Fact]
    public void A_range_limits_what_is_given_out()
    {
        var pool = Pool("10.0.1.0/24", "10.0.1.1", "10.0.1.64/30");
        Assert.Equal("10.0.1.64/24", pool.Take("a", AddressFamily.InterNetwork));
        Assert.Equal((UInt128)4, pool.Usage(AddressFamily.InterNetwork).Total);
    }

    [Fact]
    public void A_doubtful_address_is_kept_for_its_owner_alone()
    {
        var pool = Pool("10.0.1.0/30", "10.0.1.1");
        var address = (AddressFamily.InterNetwork, AddressRange.ToNumber(IPAddress.Parse("10.0.1.2")));
        Assert.NotNull(pool.Take("a", AddressFamily.InterNetwork));
        pool.Doubt("a", address);
        pool.Release("a", address);
        Assert.Null(pool.Take("b", AddressFamily.InterNetwork));
        pool.Hold("a", address);
        pool.Settle("a", address);
        Assert.Equal("a", pool.OwnerOf("10.0.1.2/30"));
    }

    [Fact]
    public void Subnets_are_the_lowest_free_and_must_not_overlap()
    {
        var cluster = new SwarmCluster { Id = "c", DefaultAddressPool = ["10.20.0.0/23"], SubnetSize = 24 };
        IReadOnlyList<IPNetwork> taken = [IPNetwork.Parse("10.20.0.0/24")];
        Assert.Equal("10.20.1.0/24", NetworkAllocator.Subnets(new NetworkSpec(), cluster, taken, []).Subnets[0].Subnet);
        Assert.NotNull(NetworkAllocator.Subnets(new NetworkSpec(), cluster, [.. taken, IPNetwork.Parse("10.20.1.0/24")], []).Error);
        var wish = new NetworkSpec { IPAMOptions = new IpamOptions { Configs = [new IpamConfig { Subnet = "10.20.0.128/25" }] } };
        Assert.Equal(NetworkAllocator.Overlaps, NetworkAllocator.Subnets(wish, cluster, taken, []).Error);
    }

    [Fact]
    public void A_nodes_routes_are_avoided_but_never_leave_the_swarm_without_networks()
    {
        var cluster = new SwarmCluster { Id = "c" };
        IReadOnlyList<IPNetwork> taken = [IPNetwork.Parse("10.0.0.0/24")];

        string? Chosen(params string[] routes) => NetworkAllocator.Subnets(new NetworkSpec(), cluster, taken, [.. routes.Select(IPNetwork.Parse)]).Subnets[0].Subnet;
        Assert.Equal("10.0.1.0/24", Chosen());
        Assert.Equal("10.0.4.0/24", Chosen("10.0.1.64/26", "10.0.2.0/23"));
        Assert.Equal("10.1.0.0/24", Chosen("10.0.3.7/32", "10.0.0.0/16"));
        Assert.Equal("10.0.1.0/24", Chosen("10.0.0.0/8"));
    }

    [Fact]
    public void IPv6_subnets_come_from_the_swarms_own_pool_or_the_one_given()
    {
        var cluster = new SwarmCluster { Id = "c" };
        var both = new NetworkSpec { EnableIPv6 = true };
        var pool = UniqueLocal.PoolOf("c");
        Assert.StartsWith("fd", pool.ToString(), StringComparison.Ordinal);
        Assert.Equal((48, pool), (pool.PrefixLength, UniqueLocal.PoolOf("c")));
        Assert.NotEqual(pool, UniqueLocal.PoolOf("d"));

        var (first, _) = NetworkAllocator.Subnets(both, cluster, [], []);
        Assert.Equal(["10.0.0.0/24", $"{pool.BaseAddress}/64"], first.Select(s => s.Subnet));
        Assert.Equal($"{pool.BaseAddress}1", first[1].Gateway);
        var second = NetworkAllocator.Subnets(both, cluster, [.. first.Select(s => IPNetwork.Parse(s.Subnet!))], []).Subnets;
        Assert.Equal($"{pool.BaseAddress.ToString()[..^2]}:1::/64", second[1].Subnet);

        Assert.Equal("2001:db8:7::/64", NetworkAllocator.Subnets(both, cluster with { DefaultAddressPool = ["10.1.0.0/16", "2001:db8:7::/48"] }, [], []).Subnets[1].Subnet);
        var wish = both with { EnableIPv4 = false, IPAMOptions = new IpamOptions { Configs = [new IpamConfig { Subnet = "fd77::/64" }] } };
        Assert.Equal("fd77::/64", Assert.Single(NetworkAllocator.Subnets(wish, cluster, [], []).Subnets).Subnet);
    }

    [Fact]
    public void IPv4_addresses_come_first_whatever_the_order_of_the_subnets()
    {
        var pool = new AddressPool();
        pool.Configure([new IpamConfig { Subnet = "fd77::/64", Gateway = "fd77::1" }, new IpamConfig { Subnet = "10.0.1.0/24", Gateway = "10.0.1.1" }]);
        Assert.Equal([AddressFamily.InterNetwork, AddressFamily.InterNetworkV6], pool.Families);
        Assert.Equal("fd77::2/64", pool.Take("a", AddressFamily.InterNetworkV6));
        Assert.Equal("10.0.1.2/24", pool.Take("a", AddressFamily.InterNetwork));
    }
}
