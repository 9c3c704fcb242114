using System.Collections.Immutable;
using System.Text;
using Skep.Kernel.Iptables;
using Skep.Network.Desired.Classic;

namespace Skep.Network.Reconcile;

/// <summary>
/// The chains of the classic data plane: read back, and what differs is put right by one iptables-restore. Chains of ours are written
/// anew; in the kernel's chains our rules stand first and others' stay, except in namespaces where everything is ours. A chain for
/// users' rules is made and never touched again.
/// </summary>
internal static class IptablesStep
{
    public static async Task ApplyAsync(SpacePass pass, bool readBack, CancellationToken cancellationToken)
    {
        var before = pass.Space.Applied?.Iptables ?? [];
        if (pass.Wanted.Iptables.IsEmpty && before.IsEmpty)
        {
            return;
        }

        if (!readBack && before.SequenceEqual(pass.Wanted.Iptables))
        {
            return;
        }

        var tool = new IptablesTool(pass.Space.Namespace);
        var there = (await tool.ReadAsync(cancellationToken)).ToLookup(r => (r.Table, r.Chain), r => r.Rule);
        var script = Script(pass, before, there);
        if (script.Length > 0)
        {
            pass.Script(script.ToString);
            await tool.RestoreAsync(script, cancellationToken);
        }
    }

    private static string Script(SpacePass pass, ImmutableArray<WantedIptablesChain> before, ILookup<(string Table, string Chain), string> there)
    {
        var script = new StringBuilder();
        var gone = before.Where(b => !pass.Wanted.Iptables.Any(w => (w.Table, w.Name) == (b.Table, b.Name))).ToList();
        foreach (var table in pass.Wanted.Iptables.Concat(gone).Select(c => c.Table).Distinct())
        {
            var lines = new List<string>();
            // Chains that rules jump to are declared before those rules.
            foreach (var chain in pass.Wanted.Iptables.Where(c => c.Table == table).OrderBy(c => c.BuiltIn))
            {
                lines.AddRange(Lines(pass, chain, before, [.. there[(table, chain.Name)]]));
            }

            foreach (var chain in gone.Where(c => c.Table == table).OrderByDescending(c => c.BuiltIn))
            {
                lines.AddRange(Removal(pass, chain, [.. there[(table, chain.Name)]]));
            }

            if (lines.Count > 0)
            {
                script.Append('*').Append(table).Append('\n').AppendJoin('\n', lines).Append("\nCOMMIT\n");
            }
        }

        return script.ToString();
    }

    private static IEnumerable<string> Lines(SpacePass pass, WantedIptablesChain chain, ImmutableArray<WantedIptablesChain> before, List<string> there)
    {
        var declared = there.Count > 0;
        if (chain.OfUsers)
        {
            if (declared)
            {
                return [];
            }

            pass.Differs(RepairKind.Chain, RepairCause.Missing, $"iptables chain {chain.Table} {chain.Name} was missing");
            // -N, since a declaration (:NAME) would empty what somebody made since we looked.
            return chain.Rules.Select(r => $"-A {chain.Name} {r}").Prepend($"-N {chain.Name}");
        }

        there.RemoveAll(r => r.Length == 0);
        if (!chain.BuiltIn || pass.Exclusive)
        {
            if (declared && there.SequenceEqual(chain.Rules))
            {
                return [];
            }

            pass.Differs(RepairKind.Chain, RepairCause.Changed, $"iptables chain {chain.Table} {chain.Name} had {there.Count} rules that differ");
            IEnumerable<string> emptied = chain.BuiltIn ? [$"-F {chain.Name}"] : [$":{chain.Name} - [0:0]"];
            return emptied.Concat(chain.Rules.Select(r => $"-A {chain.Name} {r}"));
        }

        // Ours come first and in order; what else stands in the kernel's chain is somebody else's.
        var old = before.FirstOrDefault(b => (b.Table, b.Name) == (chain.Table, chain.Name))?.Rules ?? [];
        var ours = there.Where(r => chain.Rules.Contains(r) || old.Contains(r)).ToList();
        if (ours.SequenceEqual(chain.Rules) && there.Take(ours.Count).SequenceEqual(ours))
        {
            return [];
        }

        pass.Differs(RepairKind.Chain, RepairCause.Missing, $"iptables chain {chain.Table} {chain.Name} lacked rules of ours at its beginning");
        return ours.Select(r => $"-D {chain.Name} {r}").Concat(chain.Rules.Select((r, i) => $"-I {chain.Name} {i + 1} {r}"));
    }

    private static IEnumerable<string> Removal(SpacePass pass, WantedIptablesChain chain, List<string> there)
    {
        if (there.Count == 0 || chain.OfUsers)
        {
            return [];
        }

        pass.Differs(RepairKind.Chain, RepairCause.NotOurs, $"iptables chain {chain.Table} {chain.Name} was not wanted");
        return chain.BuiltIn
            ? there.Where(r => chain.Rules.Contains(r)).Select(r => $"-D {chain.Name} {r}")
            : [$"-F {chain.Name}", $"-X {chain.Name}"];
    }
}
