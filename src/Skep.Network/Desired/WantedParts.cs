using System.Collections.Immutable;

namespace Skep.Network.Desired;

/// <summary>
/// A namespace's wish in parts: a frame that is there whatever the plan holds (links, settings, base chains, static rules), and
/// the shares that objects add to it.
/// </summary>
public sealed class WantedParts(WantedSpace frame, ImmutableSortedDictionary<ShareKey, WantedShare> shares)
{
    private WantedSpace? _merged;

    public string Name => Frame.Name;
    public WantedSpace Frame { get; } = frame;
    public ImmutableSortedDictionary<ShareKey, WantedShare> Shares { get; } = shares;

    /// <summary>The parts that these were made of by <see cref="With"/>, and whose shares that changed; null when they were made anew.</summary>
    public (WeakReference<WantedParts> Before, ImmutableArray<ShareKey> Keys)? Change { get; private init; }

    /// <summary>The whole wish. What two shares want is there once; where they differ, the first has it.</summary>
    public WantedSpace Merged() => _merged ??= Merge();

    /// <summary>The same with some shares replaced; a null share goes.</summary>
    public WantedParts With(IEnumerable<KeyValuePair<ShareKey, WantedShare?>> changes)
    {
        var keys = ImmutableArray.CreateBuilder<ShareKey>();
        var next = Shares;
        foreach (var (key, share) in changes)
        {
            var wanted = share is { IsEmpty: false } ? share : null;
            if (next.GetValueOrDefault(key) is var known && !Equals(known, wanted))
            {
                keys.Add(key);
                next = wanted is null ? next.Remove(key) : next.SetItem(key, wanted);
            }
        }

        return keys.Count == 0 ? this : new WantedParts(Frame, next) { Change = (new WeakReference<WantedParts>(this), keys.ToImmutable()) };
    }

    /// <summary>Whether the same is wished.</summary>
    public bool Same(WantedParts other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return ReferenceEquals(this, other) || (SameFrame(other) && Shares.SequenceEqual(other.Shares));
    }

    /// <summary>The shares that differ from an earlier wish's; null when the frames differ.</summary>
    public IReadOnlyCollection<ShareKey>? ChangesSince(WantedParts earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        if (Change is { } change && change.Before.TryGetTarget(out var before) && ReferenceEquals(before, earlier))
        {
            return change.Keys;
        }

        return SameFrame(earlier)
            ? [.. Shares.Keys.Union(earlier.Shares.Keys).Where(k => !Equals(Shares.GetValueOrDefault(k), earlier.Shares.GetValueOrDefault(k)))]
            : null;
    }

    public override string ToString() => Merged().ToString();

    // A frame is small, and prints all that it holds.
    private bool SameFrame(WantedParts other) => ReferenceEquals(Frame, other.Frame) || Frame.ToString() == other.Frame.ToString();

    private WantedSpace Merge()
    {
        // Walked once for each part: as a tree that is slow.
        var shares = Shares.Values.ToArray();
        var elements = Distinct(shares, s => s.Elements, e => (e.Family, e.Set, e.Key)).ToLookup(e => (e.Family, e.Set), e => e.Text);
        List<WantedBalance> balances = [.. Distinct(shares, s => s.Balances, b => (b.Family, b.Map, b.Key)).OrderBy(b => b.Key, StringComparer.Ordinal)];
        return Frame with
        {
            Links = [.. Frame.Links, .. Distinct(shares, s => s.Links, l => l.Name)],
            Addresses = [.. Frame.Addresses, .. Distinct(shares, s => s.Addresses, a => a)],
            Routes = [.. Frame.Routes, .. Distinct(shares, s => s.Routes, r => r)],
            Rules = [.. Frame.Rules, .. Distinct(shares, s => s.Rules, r => r)],
            Neighbours = [.. Frame.Neighbours, .. Distinct(shares, s => s.Neighbours, n => (n.Link, n.Address))],
            Forwarding = [.. Frame.Forwarding, .. Distinct(shares, s => s.Forwarding, f => (f.Link, f.Mac, f.Vtep is null))],
            Tables = [.. Frame.Tables.Select(t => Filled(t, elements, balances)), .. shares.SelectMany(s => s.Tables)],
            Balances = [.. balances.Where(b => b.Map is null)],
            Esp = Frame.Esp is null ? null : Frame.Esp with { Peers = [.. Frame.Esp.Peers.Concat(shares.SelectMany(s => s.EspPeers)).DistinctBy(p => p.Address)] },
        };
    }

    private static List<T> Distinct<T, TKey>(WantedShare[] shares, Func<WantedShare, ImmutableArray<T>> part, Func<T, TKey> key)
    {
        var count = shares.Sum(s => part(s).Length);
        var (all, keys) = (new List<T>(count), new HashSet<TKey>(count));
        foreach (var share in shares)
        {
            foreach (var one in part(share))
            {
                if (keys.Add(key(one)))
                {
                    all.Add(one);
                }
            }
        }

        return all;
    }

    private static WantedTable Filled(WantedTable table, ILookup<(string Family, string Set), string> elements, IEnumerable<WantedBalance> balances)
    {
        // A few of a map of their own in this table; all others have tables of theirs.
        List<WantedBalance> own = [.. balances.Where(b => b.Map is not null && b.Family == table.Family && table.Sets.Any(s => s.Name == b.Map))];
        return table with
        {
            Sets =
            [
                .. table.Sets.Select(s => s with
                {
                    Elements =
                    [
                        .. s.Elements,
                        .. elements[(table.Family, s.Name)].Order(StringComparer.Ordinal),
                        .. own.Where(b => s.Name == b.Map).Select(b => $"{b.Key} : jump {b.Chain}"),
                    ],
                }),
            ],
            Chains = [.. table.Chains, .. own.Select(Balancing.ChainOf)],
        };
    }
}
