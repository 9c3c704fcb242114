using System.Collections.Immutable;
using System.Net;
using Skep.Kernel.Nftables;
using Skep.Network.Desired;
using Skep.Network.Reconcile;

namespace Skep.UnitTests.Network;

public sealed class BalancerChangeTests
{
    private static readonly BalancerForm s_form = new(new WantedBalancer("ip", ByPort: false));
    private readonly BalancerShard _shard = new(0, s_form.Table(0));

    [Fact]
    public void ABalancesOldNumbersOutliveItsOldRuleByATransaction()
    {
        var added = new BalancerChange(s_form);
        added.Add(_shard, Key, Balance("10.0.1.3", "10.0.1.4"));
        Run(added);

        var changed = new BalancerChange(s_form);
        changed.Change(_shard, _shard.Balances[Key], Balance("10.0.1.3"));
        // Nobody gets the numbers that the old rule takes until they are gone.
        Assert.Equal(3u, _shard.Free(1));

        var transactions = Run(changed);
        Assert.Equal(2, transactions.Count);
        Assert.Contains(transactions[0], l => l == "add 1 of ip skep-0 backends");
        Assert.DoesNotContain(transactions[0], l => l.StartsWith("delete", StringComparison.Ordinal));
        Assert.Equal(["delete 2 of ip skep-0 backends"], transactions[1]);
        Assert.Equal(0u, _shard.Free(2));
    }

    private static NftBytes Key => NftBytes.Parse("10.0.1.2");

    private static WantedBalance Balance(params string[] backends) => new("ip", "10.0.1.2", "vip-10.0.1.2", [.. backends.Select(IPAddress.Parse)], null);

    private static List<ImmutableArray<string>> Run(BalancerChange change)
    {
        List<ImmutableArray<string>> lines = [.. change.Transactions().Select(t => t.Lines.ToImmutableArray())];
        change.Finish();
        return lines;
    }
}
