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
        Assert.Equal(((UInt128)6, (UInt128)6), pool.Usage(AddressFamily.InterNetwork));
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
        Assert.Equal("10.20.1.0/24", NetworkAllocator.Subnets(new NetworkSpec(), cluster, taken).Subnets[0].Subnet);
        Assert.NotNull(NetworkAllocator.Subnets(new NetworkSpec(), cluster, [.. taken, IPNetwork.Parse("10.20.1.0/24")]).Error);
        var wish = new NetworkSpec { IPAMOptions = new IpamOptions { Configs = [new IpamConfig { Subnet = "10.20.0.128/25" }] } };
        Assert.Equal(NetworkAllocator.Overlaps, NetworkAllocator.Subnets(wish, cluster, taken).Error);
    }
}
