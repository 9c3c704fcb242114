using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Gathers changes of elements of our tables. Those of plain sets, which every endpoint and service has, go without libnftables: it reads the
/// namespace's rules before each change.
/// </summary>
internal sealed class ElementChange(SpacePass pass)
{
    private readonly NftTransaction _transaction = new();
    private readonly Dictionary<(string Family, string Set), PlainChange?> _plain = [];

    public void Add(string family, string set, string key, string? value)
    {
        if (Plain(family, set) is { } plain)
        {
            plain.Add.Add(NftBytes.Parse(key));
        }
        else
        {
            _transaction.AddElement(TableOf(family), set, value is null ? key : $"{key} : {value}");
        }
    }

    public void Delete(string family, string set, string key)
    {
        if (Plain(family, set) is { } plain)
        {
            plain.Delete.Add(NftBytes.Parse(key));
        }
        else
        {
            _transaction.DeleteElement(TableOf(family), set, key);
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var batch = new NftBatch();
        foreach (var ((family, set), plain) in _plain)
        {
            batch.DeleteElements(TableOf(family), set, plain?.Delete ?? []);
            batch.AddElements(TableOf(family), set, (plain?.Add ?? []).Select(key => new NftElement(key, default)));
        }

        if (!batch.IsEmpty)
        {
            pass.Script(() => string.Join('\n', batch.Lines));
            pass.Space.Rules.Run(batch);
        }

        if (!_transaction.IsEmpty)
        {
            pass.Script(_transaction.ToString);
            await pass.Space.Nftables.RunAsync(_transaction, cancellationToken);
        }
    }

    // Null: the set is not plain.
    private PlainChange? Plain(string family, string set)
    {
        if (!_plain.TryGetValue((family, set), out var change))
        {
            var sets = pass.Parts.Frame.Tables.Where(t => (t.Family, t.Name) == (family, WantedTable.Ours)).SelectMany(t => t.Sets);
            _plain[(family, set)] = change = sets.FirstOrDefault(s => s.Name == set)?.IsPlain == true ? new PlainChange([], []) : null;
        }

        return change;
    }

    private static NftTable TableOf(string family) => TableChanges.NameOf(new WantedTable(family, WantedTable.Ours));

    private sealed record PlainChange(List<NftBytes> Add, List<NftBytes> Delete);
}
