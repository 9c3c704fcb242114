using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Reads a balancer's table back: which wish each key fulfils, and what in it belongs to none. What a killed daemon left is
/// understood by it: places and numbers are in the rules themselves.
/// </summary>
internal sealed class BalancerReading
{
    private readonly Dictionary<uint, NftBytes> _backends;
    private readonly Dictionary<string, List<NftRule>> _rules;
    private readonly HashSet<uint> _owned = [];

    private BalancerReading(BalancerShard shard, Dictionary<uint, NftBytes> backends, Dictionary<string, List<NftRule>> rules) =>
        (Shard, _backends, _rules) = (shard, backends, rules);

    public BalancerShard Shard { get; }

    /// <summary>Chains that no key leads to.</summary>
    public List<string> OtherChains { get; } = [];

    /// <summary>Numbers of backends that no rule takes.</summary>
    public List<uint> OtherNumbers { get; } = [];

    /// <summary>Null when the table's frame is not as it must be.</summary>
    /// <param name="nftables">The kernel.</param>
    /// <param name="chains">The table's, which are read with those of all tables.</param>
    /// <param name="form">What a table looks like.</param>
    /// <param name="number">The table's.</param>
    /// <param name="wanted">What all tables together are to hold.</param>
    public static BalancerReading? Read(
        NftNetlink nftables, IReadOnlyList<NftChain> chains, BalancerForm form, int number, IReadOnlyDictionary<NftBytes, WantedBalance> wanted)
    {
        var table = form.Table(number);
        var rules = nftables.Rules(table).GroupBy(r => r.Chain, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
        var bases = form.Bases.Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
        if (!chains.Where(c => c.Hook is not null || bases.Contains(c.Name)).OrderBy(c => c.Name, StringComparer.Ordinal).SequenceEqual(form.Bases)
            || !form.Bases.All(b => rules.GetValueOrDefault(b.Name, []).SequenceEqual(form.RulesOf(b)))
            || !nftables.Maps(table).ToHashSet().SetEquals([form.Keys, form.Values]))
        {
            return null;
        }

        var backends = nftables.Elements(table, BalancerForm.Backends).ToDictionary(e => BitConverter.ToUInt32(e.Key.Span), e => e.Value);
        var reading = new BalancerReading(new BalancerShard(number, table), backends, rules);
        reading.Place(form, nftables.Elements(table, form.Keys.Name), wanted);
        reading.OtherChains.AddRange(chains.Select(c => c.Name).Where(c => !bases.Contains(c) && !reading.Shard.Uses(c)));
        reading.OtherNumbers.AddRange(backends.Keys.Where(n => !reading._owned.Contains(n)));
        return reading;
    }

    // Keys whose chain is the wished one come first: should another key lead there as well, it is the wrong one.
    private void Place(BalancerForm form, IEnumerable<NftElement> keys, IReadOnlyDictionary<NftBytes, WantedBalance> wanted)
    {
        foreach (var (key, _, jump) in keys.OrderByDescending(k => wanted.GetValueOrDefault(k.Key)?.Chain == k.Jump))
        {
            var chain = jump is null || Shard.Uses(jump) ? "" : jump;
            var wish = wanted.GetValueOrDefault(key);
            var rule = chain.Length > 0 && _rules.TryGetValue(chain, out var rules) && rules is [var only] ? only : null;
            var range = rule is null ? default : Take(rule);
            Shard.Add(new PlacedBalance(key, chain, range, wish is not null && Fulfils(form, wish, rule, range) ? wish : null));
        }
    }

    private NumberRange Take(NftRule rule)
    {
        if (BalancerForm.RangeOf(rule) is not ({ } offset, > 0 and <= ushort.MaxValue and { } length) || offset > uint.MaxValue - length)
        {
            return default;
        }

        var numbers = Enumerable.Range(0, (int)length).Select(i => offset + (uint)i).ToList();
        if (numbers.Exists(_owned.Contains))
        {
            return default;
        }

        _owned.UnionWith(numbers);
        var missing = numbers.Where(n => !_backends.ContainsKey(n)).ToHashSet();
        return new NumberRange(offset, length, missing.Count == 0 ? null : missing);
    }

    private bool Fulfils(BalancerForm form, WantedBalance wish, NftRule? rule, NumberRange range) =>
        rule is not null && range.Length > 0 && range.Missing is null
        && rule.Equals(form.RuleOf(wish, range.Offset))
        && BalancerForm.ElementsOf(wish, range.Offset).All(e => _backends[BitConverter.ToUInt32(e.Key.Span)] == e.Value);
}
