using System.Collections.Immutable;

namespace Skep.Network.Desired;

/// <summary>
/// Smooth weighted round robin (the method is nginx's): in one round each gets exactly its weight's share, spread as evenly as it can be,
/// and always in the same order.
/// </summary>
internal static class WeightedTurns
{
    /// <summary>Rounds longer than this are shortened; the proportions are rounded then.</summary>
    internal const int LongestRound = 8192;

    /// <summary>One round; <paramref name="items"/> of equal weight stay in their order.</summary>
    public static ImmutableArray<T> Of<T>(IReadOnlyList<(T Item, int Weight)> items)
    {
        if (items.Count < 2 || items.All(i => i.Weight == items[0].Weight))
        {
            return [.. items.Select(i => i.Item)];
        }

        var weights = Short(items);
        // Those of one weight take turns among themselves, so that a round costs its length times the few weights that there are.
        var groups = items.Zip(weights, (i, weight) => (i.Item, Weight: weight)).GroupBy(i => i.Weight)
            .Select(g => new Group<T>([.. g.Select(i => i.Item)], g.Key)).ToList();
        var length = weights.Sum();
        var round = ImmutableArray.CreateBuilder<T>(length);
        while (round.Count < length)
        {
            Group<T>? next = null;
            foreach (var group in groups)
            {
                group.Credit += group.Share;
                next = next is null || group.Credit > next.Credit ? group : next;
            }

            next!.Credit -= length;
            round.Add(next.Take());
        }

        return round.MoveToImmutable();
    }

    // Without a common divisor, and halved until the round is short enough; nobody loses the last turn.
    private static List<int> Short<T>(IReadOnlyList<(T Item, int Weight)> items)
    {
        var divisor = items.Select(i => i.Weight).Aggregate(Divisor);
        var weights = items.Select(i => i.Weight / divisor).ToList();
        while (weights.Sum() > LongestRound && weights.Max() > 1)
        {
            weights = [.. weights.Select(w => (w + 1) / 2)];
        }

        return weights;
    }

    private static int Divisor(int left, int right) => right == 0 ? left : Divisor(right, left % right);

    private sealed class Group<T>(ImmutableArray<T> items, int weight)
    {
        private int _turn;

        public int Share { get; } = items.Length * weight;

        public int Credit { get; set; }

        public T Take() => items[_turn++ % items.Length];
    }
}
