using Skep.Kernel.Nftables;
using Skep.Kernel.Sysctl;

namespace Skep.UnitTests.Kernel;

public sealed class NftTransactionTests
{
    private static readonly NftTable s_table = new(NftFamily.Inet, "skep");

    [Fact]
    public void It_prints_as_the_script_that_nft_takes()
    {
        var transaction = new NftTransaction()
            .DeleteTable(s_table)
            .AddTable(s_table)
            .AddSet(s_table, "blocked", "ipv4_addr", flags: "interval")
            .AddMap(s_table, "vips", "ipv4_addr . inet_service : verdict")
            .AddChain(s_table, "svc")
            .AddChain(s_table, "pre", new NftHook("filter", "prerouting", "mangle + 10", "drop"))
            .AddRule(s_table, "pre", "ip daddr . th dport vmap @vips")
            .AddElement(s_table, "vips", "10.0.1.2 . 80", "goto svc")
            .DeleteElement(s_table, "blocked", "10.0.1.3")
            .FlushSet(s_table, "blocked");
        Assert.Equal(
            """
            add table inet skep
            delete table inet skep
            add table inet skep
            add set inet skep blocked { type ipv4_addr; flags interval; }
            add map inet skep vips { type ipv4_addr . inet_service : verdict; }
            add chain inet skep svc
            add chain inet skep pre { type filter hook prerouting priority mangle + 10; policy drop; }
            add rule inet skep pre ip daddr . th dport vmap @vips
            add element inet skep vips { 10.0.1.2 . 80 : goto svc }
            delete element inet skep blocked { 10.0.1.3 }
            flush set inet skep blocked

            """, transaction.ToString());
        Assert.Null(transaction.Problem);
    }

    [Fact]
    public void The_first_impossible_name_poisons_it()
    {
        var transaction = new NftTransaction().AddTable(s_table).AddChain(s_table, "a b").AddChain(s_table, "c;d");
        Assert.Equal("'a b' cannot be a name in nftables", transaction.Problem);
    }

    [Fact]
    public void A_line_break_cannot_smuggle_in_a_command() =>
        Assert.NotNull(new NftTransaction().AddRule(s_table, "pre", "accept\nflush ruleset").Problem);

    [Theory]
    [InlineData("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward")]
    [InlineData("net/ipv4/conf/eth0.1/rp_filter", "/proc/sys/net/ipv4/conf/eth0.1/rp_filter")]
    public void A_setting_is_a_file(string key, string path) => Assert.Equal(path, SysctlFile.PathOf(key));

    [Theory]
    [InlineData("net/../../etc/passwd")]
    [InlineData("")]
    [InlineData("net..ipv4")]
    public void A_setting_never_leads_out(string key) => Assert.Throws<ArgumentException>(() => SysctlFile.PathOf(key));
}
