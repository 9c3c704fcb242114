using Skep.Kernel.Nftables;

namespace Skep.Network.Reconcile;

/// <summary>One table of a balancer, as we know it: who is in it and which numbers are taken.</summary>
internal sealed class BalancerShard(int number, NftTable table)
{
    /// <summary>More chains in one table cost each change more; more tables cost each new flow more.</summary>
    public const int Most = 500;

    private readonly SortedDictionary<uint, uint> _taken = [];
    private readonly HashSet<string> _chains = new(StringComparer.Ordinal);

    public int Number { get; } = number;
    public NftTable Table { get; } = table;
    public Dictionary<NftBytes, PlacedBalance> Balances { get; } = [];

    public bool HasRoomFor(string chain) => Balances.Count < Most && !_chains.Contains(chain);

    /// <summary>Whether a key leads to this chain.</summary>
    public bool Uses(string chain) => _chains.Contains(chain);

    public void Add(PlacedBalance balance)
    {
        Balances[balance.Key] = balance;
        if (balance.Chain.Length > 0)
        {
            _chains.Add(balance.Chain);
        }

        Take(balance.Numbers);
    }

    public void Remove(PlacedBalance balance)
    {
        Balances.Remove(balance.Key);
        _chains.Remove(balance.Chain);
        Release(balance.Numbers);
    }

    /// <summary>Nobody else gets these numbers.</summary>
    public void Take(NumberRange numbers)
    {
        if (numbers.Length > 0)
        {
            _taken[numbers.Offset] = numbers.Length;
        }
    }

    /// <summary>They are free again.</summary>
    public void Release(NumberRange numbers)
    {
        if (numbers.Length > 0)
        {
            _taken.Remove(numbers.Offset);
        }
    }

    /// <summary>The first number from which so many are free.</summary>
    public uint Free(uint length)
    {
        var first = 0u;
        foreach (var (offset, taken) in _taken)
        {
            if (offset - first >= length)
            {
                break;
            }

            first = offset + taken;
        }

        return first;
    }
}
