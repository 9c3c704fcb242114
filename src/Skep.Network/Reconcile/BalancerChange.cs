using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Gathers changes of a balancer's tables into transactions. A balance that changes gets numbers that are free and a new rule in one
/// transaction: no flow meets a half-changed one. Its old numbers go in the next, for a packet that is at the old rule while the kernel turns to the new
/// state looks them up in that; so do chains, when nothing leads to them any more.
/// </summary>
internal sealed class BalancerChange(BalancerForm form)
{
    // A transaction is one datagram.
    private const int Largest = 1 << 20;

    // About what the elements of a new balance take in it, beside the backends' own.
    private const int BytesOfKey = 150;
    private const int BytesOfBackend = 60;

    private readonly List<NftBatch> _done = [];
    private readonly List<(BalancerShard Shard, string Chain)> _chains = [];
    private readonly List<(BalancerShard Shard, NumberRange Numbers)> _given = [];
    private readonly List<(BalancerShard Shard, NftBytes Key, WantedBalance Wanted, uint Offset)> _new = [];
    private NftBatch _batch = new();
    private int _bytesOfNew;

    public IEnumerable<NftBatch> Transactions()
    {
        Cut(0);
        foreach (var (shard, numbers) in _given)
        {
            _batch.DeleteElements(shard.Table, BalancerForm.Backends, numbers.There());
            Cut(Largest);
        }

        foreach (var (shard, chain) in _chains.Where(c => !c.Shard.Uses(c.Chain)).Distinct())
        {
            _batch.DeleteChain(shard.Table, chain);
        }

        Cut(0);
        return _done;
    }

    /// <summary>All is done: numbers that were given back are free.</summary>
    public void Finish() => _given.ForEach(g => g.Shard.Release(g.Numbers));

    public void DeleteTable(NftTable table) => _batch.DeleteTable(table);

    /// <summary>A table without balances; one of that name that is there goes first.</summary>
    public void AddTable(BalancerShard shard) => form.AddFrame(_batch, shard.Table);

    /// <summary>Removes what belongs to no balance.</summary>
    public void Clean(BalancerReading reading)
    {
        var table = reading.Shard.Table;
        foreach (var chain in reading.OtherChains)
        {
            _batch.FlushChain(table, chain);
            _chains.Add((reading.Shard, chain));
        }

        _batch.DeleteElements(table, BalancerForm.Backends, reading.OtherNumbers.Select(NftBytes.Of));
    }

    public void Add(BalancerShard shard, NftBytes key, WantedBalance wanted)
    {
        var offset = shard.Free((uint)wanted.Backends.Length);
        _batch.AddChain(shard.Table, new NftChain(wanted.Chain));
        _batch.AddRule(shard.Table, form.RuleOf(wanted, offset));
        _new.Add((shard, key, wanted, offset));
        _bytesOfNew += BytesOfKey + (BytesOfBackend * wanted.Backends.Length);
        shard.Add(new PlacedBalance(key, wanted.Chain, new NumberRange(offset, (uint)wanted.Backends.Length), wanted));
        Cut(Largest);
    }

    public void Change(BalancerShard shard, PlacedBalance before, WantedBalance wanted)
    {
        var offset = shard.Free((uint)wanted.Backends.Length);
        _batch.AddElements(shard.Table, BalancerForm.Backends, BalancerForm.ElementsOf(wanted, offset));
        _batch.FlushChain(shard.Table, wanted.Chain);
        _batch.AddRule(shard.Table, form.RuleOf(wanted, offset));
        _given.Add((shard, before.Numbers));
        shard.Remove(before);
        shard.Take(before.Numbers);
        shard.Add(new PlacedBalance(before.Key, wanted.Chain, new NumberRange(offset, (uint)wanted.Backends.Length), wanted));
        Cut(Largest);
    }

    public void Remove(BalancerShard shard, PlacedBalance balance)
    {
        _batch.DeleteElements(shard.Table, form.Keys.Name, [balance.Key]);
        if (balance.Chain.Length > 0)
        {
            _batch.FlushChain(shard.Table, balance.Chain);
            _chains.Add((shard, balance.Chain));
        }

        _batch.DeleteElements(shard.Table, BalancerForm.Backends, balance.Numbers.There());
        shard.Remove(balance);
        Cut(Largest);
    }

    private void Cut(int size)
    {
        if (!_batch.IsEmpty && _batch.Written.Length + _bytesOfNew >= size)
        {
            Fill();
            _done.Add(_batch);
            _batch = new NftBatch();
        }
    }

    // The elements of new balances come after all their rules: for each rule that asks a map the kernel walks through the whole of it.
    private void Fill()
    {
        foreach (var shard in _new.GroupBy(n => n.Shard))
        {
            _batch.AddElements(shard.Key.Table, BalancerForm.Backends, shard.SelectMany(n => BalancerForm.ElementsOf(n.Wanted, n.Offset)));
            _batch.AddElements(shard.Key.Table, form.Keys.Name, shard.Select(n => new NftElement(n.Key, default, n.Wanted.Chain)));
        }

        _new.Clear();
        _bytesOfNew = 0;
    }
}
