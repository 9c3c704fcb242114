using Skep.Model.Rules;

namespace Skep.Manager.Scheduling;

/// <summary>
/// The nodes that fit, one level of branches per placement preference and the ranked nodes at the leaves. Every branch gets an equal
/// share of the service's tasks, those that run already included; what a full branch cannot take goes to the others.
/// </summary>
public sealed class SpreadTree
{
    private readonly List<SpreadTree> _branches = [];
    private readonly PriorityQueue<NodeView, Rank> _leaf = new();
    private readonly TaskNeeds _needs;
    private readonly Func<NodeView, Rank> _rank;
    private readonly Func<NodeView, bool> _fits;
    private int _tasks;

    /// <param name="needs">What is placed.</param>
    /// <param name="nodes">Every node that counts for the shares, whether or not it fits.</param>
    /// <param name="fits">Asked before a node is handed out, each time.</param>
    /// <param name="rank">The order among nodes that fit.</param>
    /// <param name="level">Which preference divides this level.</param>
    public SpreadTree(TaskNeeds needs, IReadOnlyCollection<NodeView> nodes, Func<NodeView, bool> fits, Func<NodeView, Rank> rank, int level = 0)
    {
        (_needs, _fits, _rank) = (needs, fits, rank);
        _tasks = nodes.Sum(n => n.TasksOf(needs.ServiceId));
        if (level < needs.Spread.Count)
        {
            _branches.AddRange(nodes.GroupBy(n => PlacementConstraint.LabelOf(n.Node!, needs.Spread[level]).Value)
                .OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => new SpreadTree(needs, [.. g], fits, rank, level + 1)));
            return;
        }

        foreach (var node in nodes.Where(fits))
        {
            _leaf.Enqueue(node, rank(node));
        }
    }

    /// <summary>
    /// Finds the best node and lets <paramref name="place"/> put a task there before the node is ranked anew. False when nothing fits.
    /// </summary>
    public bool TryPlace(Action<NodeView> place)
    {
        if (_needs.Spread.Count > 0 && _branches.Count > 0)
        {
            if (!_branches.OrderBy(b => b._tasks).Any(b => b.TryPlace(place)))
            {
                return false;
            }

            _tasks++;
            return true;
        }

        while (_leaf.TryDequeue(out var node, out _))
        {
            if (!_fits(node))
            {
                continue;
            }

            place(node);
            _tasks++;
            if (_fits(node))
            {
                _leaf.Enqueue(node, _rank(node));
            }

            return true;
        }

        return false;
    }
}
