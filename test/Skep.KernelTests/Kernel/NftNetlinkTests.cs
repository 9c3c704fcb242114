using System.Net;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

/// <summary>What we send and read ourselves is what nft says and prints.</summary>
public sealed class NftNetlinkTests : IDisposable
{
    private static readonly NftTable s_table = new(NftFamily.Ip, "mine");
    private static readonly NftMap s_map = new("backends", NftMap.Integer, 4, NftMap.IPv4Address, 4);

    private static readonly NftRule s_rule = new("turns", [new NftNumber(1, 2, 4), new NftLookup("backends", 1, 1), new NftDestinationNat(NftFamily.Ip, 1, null)]);

    // What nft itself writes beside such a map: typeof numgen inc mod 2 : ip daddr.
    private static readonly byte[] s_notes = Convert.FromHexString(
        "000401000000010402000000031a00041700000001120004000000000104020000000204000000000414000407000000010c00040c00000001040c000000060400000000");

    private readonly NamespaceFixture _namespaces = new();
    private readonly NetworkNamespace _here;
    private readonly NftNetlink _rules;

    public NftNetlinkTests()
    {
        _here = _namespaces.Create("here");
        _rules = NftNetlink.Open(_here);
    }

    public void Dispose()
    {
        _rules.Dispose();
        _namespaces.Dispose();
    }

    [Fact]
    public async Task What_is_sent_is_what_nft_prints()
    {
        _rules.Run(Balancing());
        var expected = """
            table ip mine {
            	map backends {
            		typeof numgen inc mod 2 : ip daddr
            		elements = { 4 : 10.0.1.3, 5 : 10.0.1.4 }
            	}

            	chain prerouting {
            		type nat hook prerouting priority dstnat; policy accept;
            	}

            	chain turns {
            		dnat to numgen inc mod 2 offset 4 map @backends
            	}
            }

            """;
        Assert.Equal(expected, await NamespaceFixture.RunAsync(_here, "nft", "list", "table", "ip", "mine"));
    }

    [Fact]
    public async Task What_nft_was_told_reads_the_same()
    {
        _rules.Run(Balancing());
        var (chains, rules, maps, elements) = (_rules.Chains(s_table.Family)[s_table.Name], _rules.Rules(s_table), _rules.Maps(s_table), _rules.Elements(s_table, "backends"));
        Assert.Equal([new NftChain("prerouting", "nat", 0, -100), new NftChain("turns")], chains);
        Assert.Equal([s_rule], rules);
        Assert.Equal([s_map], maps);
        Assert.Equal(2, elements.Count);

        var text = await NamespaceFixture.RunAsync(_here, "nft", "list", "ruleset");
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "flush ruleset\n" + text);
        await NamespaceFixture.RunAsync(_here, "nft", "-f", file);
        File.Delete(file);
        Assert.Equal(chains, _rules.Chains(s_table.Family)[s_table.Name]);
        Assert.Equal(rules, _rules.Rules(s_table));
        Assert.Equal(maps, _rules.Maps(s_table));
        Assert.Equal(elements.ToHashSet(), _rules.Elements(s_table, "backends").ToHashSet());
    }

    [Fact]
    public void A_refused_transaction_changes_nothing_and_names_the_change()
    {
        _rules.Run(Balancing());
        var broken = new NftBatch();
        broken.DeleteElements(s_table, "backends", [NftBytes.Of(4)]);
        broken.DeleteChain(s_table, "absent");
        var refusal = Assert.Throws<NftException>(() => _rules.Run(broken));
        Assert.Contains("delete chain ip mine absent", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("No such file or directory", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(2, _rules.Elements(s_table, "backends").Count);

        // The socket is as good as before.
        var right = new NftBatch();
        right.DeleteElements(s_table, "backends", [NftBytes.Of(4)]);
        _rules.Run(right);
        Assert.Single(_rules.Elements(s_table, "backends"));
    }

    [Fact]
    public void What_is_not_there_reads_as_nothing()
    {
        Assert.Empty(_rules.Tables(NftFamily.Ip));
        Assert.Empty(_rules.Chains(s_table.Family)[s_table.Name]);
        Assert.Empty(_rules.Elements(s_table, "backends"));
        _rules.Run(Balancing());
        Assert.Equal([new NftTableState(s_table, Dormant: false, Owned: false)], _rules.Tables(NftFamily.Ip));
        Assert.Equal(_rules.Tables(NftFamily.Ip), _rules.Tables());
        Assert.Empty(_rules.Tables(NftFamily.Ip6));
    }

    private static NftBatch Balancing()
    {
        var batch = new NftBatch();
        batch.AddTable(s_table);
        batch.AddMap(s_table, s_map, s_notes);
        batch.AddChain(s_table, new NftChain("prerouting", "nat", 0, -100));
        batch.AddChain(s_table, new NftChain("turns"));
        batch.AddElements(s_table, "backends", [new(NftBytes.Of(4), NftBytes.Of(IPAddress.Parse("10.0.1.3"))), new(NftBytes.Of(5), NftBytes.Of(IPAddress.Parse("10.0.1.4")))]);
        batch.AddRule(s_table, s_rule);
        return batch;
    }
}
