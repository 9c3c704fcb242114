namespace Skep.Network.Reconcile;

/// <summary>What separates the actual from the desired.</summary>
internal sealed record Changes<TKey, TValue>(IReadOnlyList<KeyValuePair<TKey, TValue>> Set, IReadOnlyList<KeyValuePair<TKey, TValue>> Remove)
    where TKey : notnull
{
    /// <summary>The keys of <see cref="Set"/> that were there, with another value.</summary>
    public required IReadOnlySet<TKey> Different { get; init; }

    public RepairCause CauseOf(TKey key) => Different.Contains(key) ? RepairCause.Changed : RepairCause.Missing;
}

internal static class Changes
{
    /// <summary>Set: missing or different, in the order of the desired. Remove: no longer wanted, with the actual value.</summary>
    public static Changes<TKey, TValue> Between<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> desired, IReadOnlyDictionary<TKey, TValue> actual)
        where TKey : notnull
    {
        var same = EqualityComparer<TValue>.Default;
        List<KeyValuePair<TKey, TValue>> set = [.. desired.Where(d => !actual.TryGetValue(d.Key, out var value) || !same.Equals(d.Value, value))];
        return new(set, [.. actual.Where(a => !desired.ContainsKey(a.Key))])
        {
            Different = set.Select(s => s.Key).Where(actual.ContainsKey).ToHashSet(),
        };
    }
}
