using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// The transactions that bring one table to its wanted form, in this order. <see cref="Before"/> declares plain sets that are about to be filled; a table
/// that was missing is made whole by it, but asleep. <see cref="Additions"/> fill plain sets: tens of thousands of elements, of which text takes many
/// times as long. <see cref="First"/> adds and changes all else, or wakes the table. <see cref="Second"/> removes chains and sets that nothing refers to
/// any more (in one transaction with the reference the kernel may find them busy). <see cref="Removals"/> take out elements that nobody is led to any
/// more. A table that is replaced is so by <see cref="First"/> alone.
/// </summary>
internal sealed partial class TableChanges
{
    // A transaction is one datagram.
    private const int ElementsPerTransaction = 10_000;

    private readonly NftTable _table;
    private readonly List<TableDifference> _differences = [];
    private readonly List<(string Set, IReadOnlyList<string> Keys)> _added = [];
    private readonly List<(string Set, IReadOnlyList<string> Keys)> _removed = [];

    // Where whatever is no plain set's element is written.
    private NftTransaction _text;

    private TableChanges(NftTable table) => (_table, _text) = (table, First);

    public NftTransaction Before { get; } = new();
    public IEnumerable<NftBatch> Additions => Batches(_added, (batch, set, keys) => batch.AddElements(_table, set, keys.Select(k => new NftElement(k, default))));
    public NftTransaction First { get; } = new();
    public NftTransaction Second { get; } = new();
    public IReadOnlyList<TableDifference> Differences => _differences;
    public IEnumerable<NftBatch> Removals => Batches(_removed, (batch, set, keys) => batch.DeleteElements(_table, set, keys));
    public bool IsEmpty => _differences.Count == 0 && Before.IsEmpty && First.IsEmpty && Second.IsEmpty;

    /// <summary>The table stands without its elements, and sees no packet, after <see cref="Before"/>.</summary>
    public bool IsBuiltAsleep => _text == Before;

    /// <summary>Whether rules are written, and not only elements.</summary>
    public bool HasRules { get; private set; }

    /// <summary><paramref name="printed"/>: how nft prints chains, by family and chain, where it differs from how they are written.</summary>
    public static TableChanges Between(WantedTable wanted, WantedTable? there, IReadOnlyDictionary<string, (string Wanted, string Printed)> printed)
    {
        var changes = new TableChanges(NameOf(wanted));
        if (there is null || Misshapen(wanted, there))
        {
            changes.Anew(wanted, there is not null);
        }
        else
        {
            changes.Adapt(wanted, there, chain => printed.GetValueOrDefault($"{wanted.Family} {chain.Name}"));
        }

        return changes;
    }

    public static NftTable NameOf(WantedTable table) => new(Enum.Parse<NftFamily>(table.Family, ignoreCase: true), table.Name);

    /// <summary>The chains that are printed in other words than they are wanted in.</summary>
    public static IEnumerable<(WantedChain Wanted, WantedChain Printed)> OtherWords(WantedTable wanted, WantedTable? printed) =>
        from chain in wanted.Chains
        let there = printed?.Chains.FirstOrDefault(c => c.Name == chain.Name)
        where there is not null && TextOf(there) != TextOf(chain)
        select (chain, there);

    /// <summary>A chain's rules in one form: the members of a set in braces have no order.</summary>
    public static string TextOf(WantedChain chain) => string.Join('\n', chain.Rules.Select(Ordered));

    private static string Ordered(string rule) =>
        Braces().Replace(rule, match => $"{{ {string.Join(", ", match.Groups[1].Value.Split(", ").Order(StringComparer.Ordinal))} }}");

    // A set of another type or a chain at another hook cannot be changed in place. What is neither set nor chain is nobody's wish: it may put the
    // whole table to sleep, or be in use by another thing of its kind and not go by itself.
    private static bool Misshapen(WantedTable wanted, WantedTable there) =>
        !there.Others.IsEmpty
        || wanted.Sets.Any(w => there.Sets.Any(t => t.Name == w.Name && (t.Kind, t.Type) != (w.Kind, w.Type)))
        || wanted.Chains.Any(w => there.Chains.Any(t => t.Name == w.Name && t.Hook != w.Hook));

    private void Anew(WantedTable wanted, bool replaces)
    {
        _differences.Add(replaces ? new(RepairKind.Table, RepairCause.Changed, "it was of another form") : new(RepairKind.Table, RepairCause.Missing, "it was missing"));
        if (replaces)
        {
            First.DeleteTable(_table);
        }
        else if (wanted.Sets.Any(s => s is { IsPlain: true, Elements: not [] }))
        {
            // Rules that see packets before their sets are full would drop them.
            _text = Before.Add($"add table {_table} {{ flags dormant; }}");
        }

        First.AddTable(_table);
        Declare(wanted.Sets, wanted.Chains);
        foreach (var chain in wanted.Chains)
        {
            Fill(chain);
        }

        foreach (var set in wanted.Sets)
        {
            AddElements(set, set.Elements, asText: replaces || !set.IsPlain);
        }
    }

    private void Adapt(WantedTable wanted, WantedTable there, Func<WantedChain, (string Wanted, string Printed)> printed)
    {
        var sets = there.Sets.ToDictionary(s => s.Name, StringComparer.Ordinal);
        var chains = there.Chains.ToDictionary(c => c.Name, StringComparer.Ordinal);
        foreach (var set in wanted.Sets.Where(s => s.IsPlain && !sets.ContainsKey(s.Name)))
        {
            Before.AddSet(_table, set.Name, set.Type);
        }

        Declare(wanted.Sets.Where(s => !s.IsPlain && !sets.ContainsKey(s.Name)), wanted.Chains.Where(c => !chains.ContainsKey(c.Name)));
        foreach (var chain in wanted.Chains)
        {
            var now = chains.GetValueOrDefault(chain.Name);
            if (now is null ? !chain.Rules.IsEmpty : !Same(chain, now, printed(chain)))
            {
                _differences.Add(new(RepairKind.Chain, now is null ? RepairCause.Missing : RepairCause.Changed, $"chain {chain.Name} had {Count(now?.Rules.Length ?? 0, "rule")} that differ"));
                if (now is not null)
                {
                    First.FlushChain(_table, chain.Name);
                }

                Fill(chain);
            }
        }

        foreach (var set in wanted.Sets.Where(s => !s.IsDynamic))
        {
            Adapt(set, sets.TryGetValue(set.Name, out var now) ? now.Elements : []);
        }

        Drop(there, wanted);
    }

    private void Adapt(WantedSet wanted, ImmutableArray<string> there)
    {
        var remove = there.Except(wanted.Elements, StringComparer.Ordinal).ToList();
        var add = wanted.Elements.Except(there, StringComparer.Ordinal).ToList();
        // What another put into a plain set may be of a protocol without ports, or have a comment and be in the way of ours.
        var asText = !wanted.IsPlain || remove.Exists(e => !NftBytes.TryParse(e, out _));
        var (had, lacked) = ($"{wanted.Kind} {wanted.Name} had", $"{wanted.Kind} {wanted.Name} lacked");
        foreach (var element in remove)
        {
            _differences.Add(new(RepairKind.Element, RepairCause.NotOurs, had, element));
            if (asText)
            {
                First.DeleteElement(_table, wanted.Name, wanted.Kind == "map" ? element.Split(" : ")[0] : element);
            }
        }

        if (!asText)
        {
            _removed.Add((wanted.Name, remove));
        }

        foreach (var element in add)
        {
            _differences.Add(new(RepairKind.Element, RepairCause.Missing, lacked, element));
        }

        AddElements(wanted, add, asText);
    }

    private void Drop(WantedTable there, WantedTable wanted)
    {
        var chains = there.Chains.Where(t => !wanted.Chains.Any(w => w.Name == t.Name)).ToList();
        foreach (var chain in chains)
        {
            _differences.Add(new(RepairKind.Chain, RepairCause.NotOurs, $"chain {chain.Name} was not wanted"));
            First.FlushChain(_table, chain.Name);
            Second.DeleteChain(_table, chain.Name);
        }

        foreach (var set in there.Sets.Where(t => !wanted.Sets.Any(w => w.Name == t.Name)))
        {
            _differences.Add(new(RepairKind.Chain, RepairCause.NotOurs, $"{set.Kind} {set.Name} was not wanted"));
            _ = set.Kind == "map" ? Second.DeleteMap(_table, set.Name) : Second.DeleteSet(_table, set.Name);
        }
    }

    private void Declare(IEnumerable<WantedSet> sets, IEnumerable<WantedChain> chains)
    {
        foreach (var set in sets)
        {
            _ = set.Kind == "map" ? _text.AddMap(_table, set.Name, set.Type) : _text.AddSet(_table, set.Name, set.Type);
        }

        foreach (var chain in chains)
        {
            _text.Add($"add chain {_table} {chain.Name}{(chain.Hook is null ? "" : $" {{ {chain.Hook} }}")}");
        }
    }

    private void Fill(WantedChain chain)
    {
        foreach (var rule in chain.Rules)
        {
            _text.AddRule(_table, chain.Name, rule);
            HasRules = true;
        }
    }

    private void AddElements(WantedSet set, IReadOnlyList<string> elements, bool asText)
    {
        if (!asText)
        {
            _added.Add((set.Name, elements));
        }
        else if (elements.Count > 0)
        {
            _text.AddElement(_table, set.Name, string.Join(", ", elements));
        }
    }

    private static IEnumerable<NftBatch> Batches(IEnumerable<(string Set, IReadOnlyList<string> Keys)> sets, Action<NftBatch, string, IEnumerable<NftBytes>> write)
    {
        foreach (var (set, keys) in sets)
        {
            foreach (var some in keys.Chunk(ElementsPerTransaction))
            {
                var batch = new NftBatch();
                write(batch, set, some.Select(k => NftBytes.Parse(k)));
                yield return batch;
            }
        }
    }

    private static bool Same(WantedChain wanted, WantedChain there, (string Wanted, string Printed) printed)
    {
        var (want, have) = (TextOf(wanted), TextOf(there));
        return want == have || (want == printed.Wanted && have == printed.Printed);
    }

    private static string Count(int number, string word) => number == 1 ? $"1 {word}" : $"{number} {word}s";

    [GeneratedRegex(@"\{ ([^{}]*) \}")]
    private static partial Regex Braces();
}
