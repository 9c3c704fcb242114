using Skep.Manager.Scheduling.Filters;

namespace Skep.Manager.Scheduling;

/// <summary>The filters in their order: the first that refuses a node is the one that is counted for it.</summary>
public static class PlacementFilters
{
    private static readonly IPlacementFilter[] s_all =
    [
        new ReadyFilter(),
        new ResourceFilter(),
        new PluginFilter(),
        new ConstraintFilter(),
        new PlatformFilter(),
        new HostPortFilter(),
        new MaxReplicasFilter(),
    ];

    public static IPlacementFilter[] For(TaskNeeds needs) => [.. s_all.Where(f => f.Concerns(needs))];

    /// <summary>The first filter that refuses, or null when the task fits.</summary>
    public static IPlacementFilter? Refuses(IPlacementFilter[] filters, TaskNeeds needs, NodeView node)
    {
        foreach (var filter in filters)
        {
            if (filter.Check(needs, node) is not null)
            {
                return filter;
            }
        }

        return null;
    }

    /// <summary>The sentence for a task that fits none of <paramref name="nodes"/>: what refused the most of them first.</summary>
    public static string Explain(IPlacementFilter[] filters, TaskNeeds needs, IEnumerable<NodeView> nodes)
    {
        var reasons = nodes.Select(n => Refuses(filters, needs, n)).OfType<IPlacementFilter>()
            .GroupBy(f => f)
            .OrderByDescending(g => g.Count()).ThenBy(g => Array.IndexOf(filters, g.Key))
            .Select(g => g.Key.Explain(g.Count()))
            .ToArray();
        return reasons.Length == 0 ? "no suitable node" : $"no suitable node ({string.Join("; ", reasons)})";
    }
}
