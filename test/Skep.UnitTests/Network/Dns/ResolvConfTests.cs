using System.Net;
using Skep.Model.Specs;
using Skep.Network.Dns;

namespace Skep.UnitTests.Network.Dns;

public sealed class ResolvConfTests
{
    private static readonly ResolvConf s_host = ResolvConf.Parse(
        ["# made by hand", "nameserver 10.0.0.1 # first", "nameserver fe80::1%2", "nameserver nonsense", "domain old.test", "search a.test\tb.test", "options timeout:1", "options edns0"]);

    [Fact]
    public void The_hosts_file_is_read()
    {
        Assert.Equal([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("fe80::1%2")], s_host.Servers);
        Assert.Equal(["a.test", "b.test"], s_host.Search);
        Assert.Equal(["timeout:1", "edns0"], s_host.Options);
    }

    [Fact]
    public void Three_servers_are_used_at_most() =>
        Assert.Equal(3, ResolvConf.Parse(Enumerable.Range(1, 5).Select(i => $"nameserver 10.0.0.{i}")).Servers.Count);

    [Fact]
    public void A_sandbox_asks_us_and_takes_the_rest_from_the_host() =>
        Assert.Equal("nameserver 127.0.0.11\nsearch a.test b.test\noptions timeout:1 edns0 ndots:0\n", ResolvConf.TextFor(new DnsConfig(), s_host));

    [Fact]
    public void The_users_wishes_replace_the_hosts() =>
        Assert.Equal(
            "nameserver 127.0.0.11\nsearch own.test\noptions ndots:2\n",
            ResolvConf.TextFor(new DnsConfig { Nameservers = ["9.9.9.9"], Search = ["own.test"], Options = ["ndots:2"] }, s_host));

    [Fact]
    public void A_dot_alone_means_no_search_list() =>
        Assert.Equal("nameserver 127.0.0.11\noptions timeout:1 edns0 ndots:0\n", ResolvConf.TextFor(new DnsConfig { Search = ["."] }, s_host));

    [Fact]
    public void Only_ndots_that_somebody_set_counts()
    {
        Assert.False(ResolvConf.HasDots(new DnsConfig(), s_host));
        Assert.True(ResolvConf.HasDots(new DnsConfig { Options = ["ndots:1"] }, s_host));
        Assert.True(ResolvConf.HasDots(new DnsConfig(), s_host with { Options = ["ndots:5"] }));
    }
}
