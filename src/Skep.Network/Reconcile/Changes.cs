namespace Skep.Network.Reconcile;

/// <summary>What separates the actual from the desired.</summary>
internal sealed record Changes<TKey, TValue>(IReadOnlyList<KeyValuePair<TKey, TValue>> Set, IReadOnlyList<KeyValuePair<TKey, TValue>> Remove)
    where TKey : notnull;

internal static class Changes
{
    /// <summary>Set: missing or different, in the order of the desired. Remove: no longer wanted, with the actual value.</summary>
    public static Changes<TKey, TValue> Between<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> desired, IReadOnlyDictionary<TKey, TValue> actual)
        where TKey : notnull
    {
        var same = EqualityComparer<TValue>.Default;
        return new(
            [.. desired.Where(d => !actual.TryGetValue(d.Key, out var value) || !same.Equals(d.Value, value))],
            [.. actual.Where(a => !desired.ContainsKey(a.Key))]);
    }
}
