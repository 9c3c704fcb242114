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
    private readonly NftBatch _plain = new();

    public void Add(string family, string set, string key, string? value)
    {
        if (IsPlain(family, set))
        {
            _plain.AddElements(TableOf(family), set, [new NftElement(NftBytes.Parse(key), default)]);
        }
        else
        {
            _transaction.AddElement(TableOf(family), set, value is null ? key : $"{key} : {value}");
        }
    }

    public void Delete(string family, string set, string key)
    {
        if (IsPlain(family, set))
        {
            _plain.DeleteElements(TableOf(family), set, [NftBytes.Parse(key)]);
        }
        else
        {
            _transaction.DeleteElement(TableOf(family), set, key);
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!_plain.IsEmpty)
        {
            pass.Script(() => string.Join('\n', _plain.Lines));
            pass.Space.Rules.Run(_plain);
        }

        if (!_transaction.IsEmpty)
        {
            pass.Script(_transaction.ToString);
            await pass.Space.Nftables.RunAsync(_transaction, cancellationToken);
        }
    }

    private bool IsPlain(string family, string set) =>
        pass.Parts.Frame.Tables.Where(t => (t.Family, t.Name) == (family, WantedTable.Ours)).SelectMany(t => t.Sets).FirstOrDefault(s => s.Name == set)?.IsPlain == true;

    private static NftTable TableOf(string family) => TableChanges.NameOf(new WantedTable(family, WantedTable.Ours));
}
