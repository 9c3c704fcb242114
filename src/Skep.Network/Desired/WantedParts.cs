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

    private WantedSpace Merge() => Frame with
    {
        Links = [.. Frame.Links, .. All(s => s.Links).DistinctBy(l => l.Name)],
        Addresses = [.. Frame.Addresses, .. All(s => s.Addresses).Distinct()],
        Routes = [.. Frame.Routes, .. All(s => s.Routes).Distinct()],
        Rules = [.. Frame.Rules, .. All(s => s.Rules).Distinct()],
        Neighbours = [.. Frame.Neighbours, .. All(s => s.Neighbours).DistinctBy(n => (n.Link, n.Address))],
        Forwarding = [.. Frame.Forwarding, .. All(s => s.Forwarding).DistinctBy(f => (f.Link, f.Mac, f.Vtep is null))],
        Tables = [.. Frame.Tables.Select(Filled), .. All(s => s.Tables)],
        Balances = [.. All(s => s.Balances).Where(b => b.Map is null).DistinctBy(b => (b.Family, b.Key)).OrderBy(b => b.Key, StringComparer.Ordinal)],
        Esp = Frame.Esp is null ? null : Frame.Esp with { Peers = [.. Frame.Esp.Peers.Concat(All(s => s.EspPeers)).DistinctBy(p => p.Address)] },
    };

    private IEnumerable<T> All<T>(Func<WantedShare, IEnumerable<T>> part) => Shares.Values.SelectMany(part);

    private WantedTable Filled(WantedTable table)
    {
        var elements = All(s => s.Elements).Where(e => e.Family == table.Family).DistinctBy(e => (e.Set, e.Key)).ToLookup(e => e.Set);
        // A few of a map of their own in this table; all others have tables of theirs.
        var balances = All(s => s.Balances).Where(b => b.Family == table.Family && table.Sets.Any(s => s.Name == b.Map))
            .DistinctBy(b => (b.Map, b.Key)).OrderBy(b => b.Key, StringComparer.Ordinal).ToList();
        return table with
        {
            Sets =
            [
                .. table.Sets.Select(s => s with
                {
                    Elements =
                    [
                        .. s.Elements,
                        .. elements[s.Name].Select(e => e.Text).Order(StringComparer.Ordinal),
                        .. balances.Where(b => s.Name == b.Map).Select(b => $"{b.Key} : jump {b.Chain}"),
                    ],
                }),
            ],
            Chains = [.. table.Chains, .. balances.Select(Balancing.ChainOf)],
        };
    }
}
