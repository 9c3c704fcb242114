using Skep.Network.Desired;
using Skep.Network.Reconcile;

namespace Skep.UnitTests.Network;

public sealed class TableChangesTests
{
    private static readonly Dictionary<string, (string, string)> s_nothingLearnt = [];

    private const string Listing = """
        table ip skep {
        	map vips {
        		type ipv4_addr : verdict
        		elements = { 10.0.1.2 : jump service-a,
        			     10.0.1.9 : jump service-b }
        	}

        	chain prerouting {
        		type nat hook prerouting priority dstnat; policy accept;
        		ip daddr vmap @vips
        	}

        	chain service-a {
        		meta l4proto { udp, tcp } dnat to numgen inc mod 2 map { 0 : 10.0.1.6, 1 : 10.0.1.7 }
        	}

        	chain service-b {
        	}
        }
        """;

    private static WantedTable Wanted(string backend = "10.0.1.7", bool withB = true) => new("ip", "skep")
    {
        Sets = [new("map", "vips", "ipv4_addr : verdict", withB ? ["10.0.1.2 : jump service-a", "10.0.1.9 : jump service-b"] : ["10.0.1.2 : jump service-a"])],
        Chains =
        [
            new("prerouting", "type nat hook prerouting priority dstnat; policy accept;", ["ip daddr vmap @vips"]),
            new("service-a", null, [$"meta l4proto {{ tcp, udp }} dnat to numgen inc mod 2 map {{ 0 : 10.0.1.6, 1 : {backend} }}"]),
            .. withB ? [new WantedChain("service-b", null, [])] : Array.Empty<WantedChain>(),
        ],
    };

    [Fact]
    public void What_is_right_already_is_left_alone() =>
        Assert.True(TableChanges.Between(Wanted(), TableListing.Parse("ip", "skep", Listing), s_nothingLearnt).IsEmpty);

    [Theory]
    [InlineData("flags dormant")]
    [InlineData("counter stranger {\n\t\tpackets 0 bytes 0\n\t}")]
    [InlineData("ct helper stranger {\n\t\ttype \"ftp\" protocol tcp\n\t\tl3proto ip\n\t}")]
    public void A_table_with_anything_beside_sets_and_chains_is_made_anew(string other)
    {
        var listing = Listing.Replace("table ip skep {", $"table ip skep {{\n\t{other}\n", StringComparison.Ordinal);
        var changes = TableChanges.Between(Wanted(), TableListing.Parse("ip", "skep", listing), s_nothingLearnt);
        Assert.Contains("delete table ip skep\nadd table ip skep\nadd map ip skep vips", changes.First.ToString(), StringComparison.Ordinal);
        Assert.True(changes.Second.IsEmpty);
    }

    [Fact]
    public void A_change_of_one_service_touches_its_chain_only() => Assert.Equal(
        "flush chain ip skep service-a\nadd rule ip skep service-a meta l4proto { tcp, udp } dnat to numgen inc mod 2 map { 0 : 10.0.1.6, 1 : 10.0.1.8 }\n",
        TableChanges.Between(Wanted("10.0.1.8"), Wanted(), s_nothingLearnt).First.ToString());

    [Fact]
    public void A_service_that_goes_loses_its_element_first_and_its_chain_in_the_next_transaction()
    {
        var changes = TableChanges.Between(Wanted(withB: false), Wanted(), s_nothingLearnt);
        Assert.Equal("delete element ip skep vips { 10.0.1.9 }\nflush chain ip skep service-b\n", changes.First.ToString());
        Assert.Equal("delete chain ip skep service-b\n", changes.Second.ToString());
    }

    [Fact]
    public void A_table_with_plain_sets_is_made_asleep_and_wakes_when_they_are_full()
    {
        var wanted = new WantedTable("ip", "skep") { Sets = [new("set", "places", "ipv4_addr", ["10.0.1.3", "10.0.1.4"])], Chains = [new("absent", null, ["ip daddr != @places drop"])] };
        var changes = TableChanges.Between(wanted, null, s_nothingLearnt);
        Assert.True(changes.IsBuiltAsleep);
        Assert.Equal(
            "add table ip skep { flags dormant; }\nadd set ip skep places { type ipv4_addr; }\nadd chain ip skep absent\nadd rule ip skep absent ip daddr != @places drop\n", changes.Before.ToString());
        Assert.Equal(["add 2 of ip skep places"], changes.Additions.SelectMany(b => b.Lines));
        Assert.Equal("add table ip skep\n", changes.First.ToString());
    }

    [Fact]
    public void Elements_of_plain_sets_come_before_rules_and_go_after()
    {
        WantedTable With(params string[] places) => new("ip", "skep") { Sets = [new("set", "places", "ipv4_addr", [.. places])], Chains = [new("absent", null, [$"counter packets {places.Length} drop"])] };
        var changes = TableChanges.Between(With("10.0.1.3", "10.0.1.5"), With("10.0.1.4"), s_nothingLearnt);
        Assert.False(changes.IsBuiltAsleep);
        Assert.Equal(["add 2 of ip skep places"], changes.Additions.SelectMany(b => b.Lines));
        Assert.DoesNotContain("element", changes.First.ToString(), StringComparison.Ordinal);
        Assert.Equal(["delete 1 of ip skep places"], changes.Removals.SelectMany(b => b.Lines));
    }

    [Theory]
    [InlineData("icmp . 8", "delete element ip skep ports { icmp . 8 }\ndelete element ip skep ports { tcp . 81 }\n")]
    [InlineData("tcp . 80 comment \"x\"", "delete element ip skep ports { tcp . 80 comment \"x\" }\ndelete element ip skep ports { tcp . 81 }\nadd element ip skep ports { tcp . 80 }\n")]
    public void What_another_put_into_a_plain_set_goes_whatever_it_is(string other, string changed)
    {
        WantedTable With(params string[] ports) => new("ip", "skep") { Sets = [new("set", "ports", "inet_proto . inet_service", [.. ports])] };
        var changes = TableChanges.Between(With("tcp . 80"), With([other, "tcp . 81", .. other.StartsWith("icmp", StringComparison.Ordinal) ? ["tcp . 80"] : Array.Empty<string>()]), s_nothingLearnt);
        Assert.Equal(changed, changes.First.ToString());
        Assert.Empty(changes.Additions.Concat(changes.Removals));
    }

    [Fact]
    public void A_table_that_is_gone_is_made_whole_in_one_transaction()
    {
        var changes = TableChanges.Between(Wanted(), null, s_nothingLearnt);
        Assert.StartsWith("add table ip skep\nadd map ip skep vips", changes.First.ToString(), StringComparison.Ordinal);
        Assert.True(changes.Second.IsEmpty);
    }

    [Fact]
    public void A_rule_in_other_words_that_was_learnt_stands_for_what_is_wanted()
    {
        var printed = Wanted() with { Chains = [.. Wanted().Chains.Select(c => c.Name == "prerouting" ? c with { Rules = ["other words"] } : c)] };
        Assert.False(TableChanges.Between(Wanted(), printed, s_nothingLearnt).IsEmpty);
        var learnt = new Dictionary<string, (string, string)> { ["ip prerouting"] = ("ip daddr vmap @vips", "other words") };
        Assert.True(TableChanges.Between(Wanted(), printed, learnt).IsEmpty);
    }
}
