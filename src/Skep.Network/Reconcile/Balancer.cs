using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// One family's balances in one namespace, spread over tables of bounded size. A balance stays in the table that it was put into,
/// so that its flows take their turns undisturbed; where that is, the kernel tells a daemon that starts.
/// </summary>
internal sealed class Balancer(WantedBalancer wanted, NftNetlink nftables)
{
    private readonly BalancerForm _form = new(wanted);
    private readonly List<BalancerShard> _shards = [];
    private readonly Dictionary<NftBytes, BalancerShard> _where = [];

    public WantedBalancer Wanted => _form.Wanted;

    /// <summary>What is in the kernel is what we know; false before the first reading and after a failure.</summary>
    public bool Known { get; private set; }

    /// <summary>Reads everything back and repairs what differs.</summary>
    public void ApplyAll(IEnumerable<WantedBalance> balances, Differs differs)
    {
        Known = false;
        _shards.Clear();
        _where.Clear();
        var wanted = balances.Where(b => !b.Backends.IsEmpty).ToDictionary(b => NftBytes.Parse(b.Key));
        var change = new BalancerChange(_form);
        var tables = Numbered().OrderBy(t => t.Number).ToList();
        var chains = tables.Count > 0 ? nftables.Chains(_form.Family) : null;
        foreach (var (number, dormant) in tables)
        {
            Adopt(number, dormant ? null : [.. chains![_form.Table(number).Name]], wanted, change, differs);
        }

        foreach (var (shard, balance) in _shards.SelectMany(s => s.Balances.Values.Select(b => (s, b))).Where(b => !wanted.ContainsKey(b.b.Key)).ToList())
        {
            differs(RepairKind.Balance, RepairCause.NotOurs, () => $"balance {BalancerText.Key(balance.Key)} was not wanted");
            Remove(change, shard, balance);
        }

        foreach (var (key, balance) in wanted)
        {
            Set(change, key, balance, differs);
        }

        Run(change);
    }

    /// <summary>Changes just these; a null balance goes.</summary>
    public void Apply(IReadOnlyCollection<(string Key, WantedBalance? Balance)> changes, Differs differs)
    {
        var change = new BalancerChange(_form);
        var keyed = changes.Select(c => (Key: NftBytes.Parse(c.Key), Balance: c.Balance is { Backends.IsEmpty: false } balance ? balance : null)).ToList();
        foreach (var (key, _) in keyed.Where(c => c.Balance is null && _where.ContainsKey(c.Key)))
        {
            differs(RepairKind.Balance, RepairCause.NotOurs, () => $"balance {BalancerText.Key(key)} was not wanted");
            Remove(change, _where[key], _where[key].Balances[key]);
        }

        foreach (var (key, balance) in keyed)
        {
            if (balance is not null)
            {
                Set(change, key, balance, differs);
            }
        }

        Run(change);
    }

    private IEnumerable<(int Number, bool Dormant)> Numbered() =>
        from table in nftables.Tables(_form.Family)
        let number = BalancerForm.NumberOf(table.Table.Name)
        where number is not null
        select (number.Value, table.Dormant);

    // Without chains: the table sleeps.
    private void Adopt(int number, IReadOnlyList<NftChain>? chains, Dictionary<NftBytes, WantedBalance> wanted, BalancerChange change, Differs differs)
    {
        var table = _form.Table(number);
        if (chains is null || BalancerReading.Read(nftables, chains, _form, number, wanted) is not { } reading)
        {
            differs(RepairKind.Table, RepairCause.Changed, () => $"table {table} was of another form");
            change.DeleteTable(table);
            return;
        }

        foreach (var chain in reading.OtherChains)
        {
            differs(RepairKind.Chain, RepairCause.NotOurs, () => $"chain {chain} of table {table} was not wanted");
        }

        foreach (var other in reading.OtherNumbers)
        {
            differs(RepairKind.Element, RepairCause.NotOurs, () => $"backend {other} of table {table} was not wanted");
        }

        change.Clean(reading);
        _shards.Add(reading.Shard);
        foreach (var balance in reading.Shard.Balances.Values.ToList())
        {
            if (!_where.TryAdd(balance.Key, reading.Shard))
            {
                differs(RepairKind.Balance, RepairCause.NotOurs, () => $"balance {BalancerText.Key(balance.Key)} was there twice");
                change.Remove(reading.Shard, balance);
            }
        }
    }

    private void Set(BalancerChange change, NftBytes key, WantedBalance wanted, Differs differs)
    {
        if (_where.TryGetValue(key, out var shard))
        {
            var there = shard.Balances[key];
            if (wanted.Equals(there.Holds))
            {
                return;
            }

            differs(RepairKind.Balance, RepairCause.Changed, () => $"balance {WantedText.BalanceText(wanted)} was different");
            if (there.Chain == wanted.Chain)
            {
                change.Change(shard, there, wanted);
                return;
            }

            Remove(change, shard, there);
        }
        else
        {
            differs(RepairKind.Balance, RepairCause.Missing, () => $"balance {WantedText.BalanceText(wanted)} was missing");
        }

        var place = _shards.Find(s => s.HasRoomFor(wanted.Chain)) ?? Open(change);
        change.Add(place, key, wanted);
        _where[key] = place;
    }

    private void Remove(BalancerChange change, BalancerShard shard, PlacedBalance balance)
    {
        change.Remove(shard, balance);
        _where.Remove(balance.Key);
    }

    private BalancerShard Open(BalancerChange change)
    {
        var number = Enumerable.Range(0, int.MaxValue).First(n => _shards.TrueForAll(s => s.Number != n));
        var shard = new BalancerShard(number, _form.Table(number));
        change.AddTable(shard);
        _shards.Add(shard);
        return shard;
    }

    private void Run(BalancerChange change)
    {
        Known = false;
        foreach (var batch in change.Transactions())
        {
            nftables.Run(batch);
        }

        change.Finish();

        // An empty table is asked by every new flow for nothing.
        var empty = _shards.Where(s => s.Balances.Count == 0).ToList();
        if (empty.Count > 0)
        {
            var last = new NftBatch();
            empty.ForEach(s => last.DeleteTable(s.Table));
            nftables.Run(last);
            _shards.RemoveAll(empty.Contains);
        }

        Known = true;
    }
}
