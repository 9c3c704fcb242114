using System.Collections.Immutable;
using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Our nftables tables. While nobody else touched the namespace's rules, what was applied last is what is there, so a change
/// of one service costs that service's lines; otherwise the tables are read back.
/// </summary>
internal static class TableStep
{
    private static readonly ImmutableArray<WantedTable> s_possible = [new("ip", WantedTable.Ours), new("ip6", WantedTable.Ours), new("netdev", WantedTable.Ours)];

    // Of iptables where it is nft's.
    private static readonly ImmutableArray<string> s_iptables = ["raw", "mangle", "nat", "filter", "security"];

    public static async Task ApplyAsync(SpacePass pass, bool readBack, CancellationToken cancellationToken)
    {
        foreach (var wanted in pass.Wanted.Tables)
        {
            var known = readBack ? null : pass.Space.Applied?.Tables.FirstOrDefault(t => (t.Family, t.Name) == (wanted.Family, wanted.Name));
            await ApplyAsync(pass, wanted, known ?? Read(pass, wanted), cancellationToken);
        }

        await RemoveAsync(pass, readBack, cancellationToken);
    }

    private static async Task ApplyAsync(SpacePass pass, WantedTable wanted, WantedTable? there, CancellationToken cancellationToken)
    {
        var changes = TableChanges.Between(wanted, there, pass.Space.Printed);
        if (changes.IsEmpty)
        {
            return;
        }

        foreach (var difference in changes.Differences)
        {
            pass.Differs(difference.Kind, difference.Cause, $"table {wanted.Family} {wanted.Name}: {difference}");
        }

        await RunAsync(pass, changes.Before, cancellationToken);
        if (changes.IsBuiltAsleep)
        {
            // Without its elements it is read in no time.
            Learn(pass, wanted);
        }

        Run(pass, changes.Additions);
        await RunAsync(pass, changes.First, cancellationToken);
        await RunAsync(pass, changes.Second, cancellationToken);
        Run(pass, changes.Removals);
        if (changes is { HasRules: true, IsBuiltAsleep: false })
        {
            Learn(pass, wanted);
        }
    }

    // Another version of nft may print a rule in other words than it was written in. What it prints right after our own change
    // stands for what was wanted, or every look would find a difference.
    private static void Learn(SpacePass pass, WantedTable wanted)
    {
        foreach (var (chain, printed) in TableChanges.OtherWords(wanted, Read(pass, wanted)))
        {
            pass.Space.Printed[$"{wanted.Family} {chain.Name}"] = (TableChanges.TextOf(chain), TableChanges.TextOf(printed));
        }
    }

    // A table of a service comes before all balancers: one that a daemon left which did not live to remove it would lead flows to backends
    // that are gone. So it goes with the first look, and not only when everything is swept; so does any table in a namespace that is ours alone.
    private static async Task RemoveAsync(SpacePass pass, bool readBack, CancellationToken cancellationToken)
    {
        if (readBack || pass.Sweep)
        {
            RemoveStrangers(pass);
        }

        var before = pass.Sweep ? s_possible : pass.Space.Applied?.Tables ?? [];
        var gone = before.Where(t => !pass.Wanted.Tables.Any(w => (w.Family, w.Name) == (t.Family, t.Name)));
        foreach (var table in gone)
        {
            if (Read(pass, table) is null)
            {
                continue;
            }

            pass.Differs(RepairKind.Table, RepairCause.NotOurs, $"table {table.Family} {table.Name} was not wanted");
            await RunAsync(pass, new NftTransaction().DeleteTable(TableChanges.NameOf(table)), cancellationToken);
        }
    }

    private static void RemoveStrangers(SpacePass pass)
    {
        var wanted = pass.Wanted.Tables.Select(TableChanges.NameOf).ToHashSet();
        var batch = new NftBatch();
        // What a running program owns, the kernel lets nobody else touch.
        foreach (var (table, _, owned) in pass.Space.Rules.Tables().Where(t => !wanted.Contains(t.Table)))
        {
            if (!owned && (IsOfService(table.Name) || (pass.Exclusive && IsStranger(pass, table.Name)) || (pass.Sweep && wanted.Count == 0 && table.Name == DatagramStep.Table)))
            {
                pass.Differs(RepairKind.Table, RepairCause.NotOurs, $"table {table} was not wanted");
                batch.DeleteTable(table);
            }
        }

        pass.Space.Rules.Run(batch);
    }

    private static bool IsOfService(string name) =>
        name.StartsWith(PolicyTables.Prefix, StringComparison.Ordinal) || name.StartsWith(RelayTables.Prefix, StringComparison.Ordinal);

    // Balancers, answers that are under way and the chains of iptables have others who look after them.
    private static bool IsStranger(SpacePass pass, string name) =>
        BalancerForm.NumberOf(name) is null && name != DatagramStep.Table && !(s_iptables.Contains(name) && !pass.Wanted.Iptables.IsEmpty);

    private static void Run(SpacePass pass, IEnumerable<NftBatch> batches)
    {
        foreach (var batch in batches)
        {
            pass.Script(() => string.Join('\n', batch.Lines));
            pass.Space.Rules.Run(batch);
        }
    }

    private static async Task RunAsync(SpacePass pass, NftTransaction transaction, CancellationToken cancellationToken)
    {
        if (!transaction.IsEmpty)
        {
            pass.Script(transaction.ToString);
            await pass.Space.Nftables.RunAsync(transaction, cancellationToken);
        }
    }

    private static WantedTable? Read(SpacePass pass, WantedTable wanted) =>
        pass.Space.Nftables.ListTable(TableChanges.NameOf(wanted).Family, wanted.Name) is { } listing
            ? TableListing.Parse(wanted.Family, wanted.Name, listing)
            : null;
}
