using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Manager.Control;

/// <summary>What people type for an object: its id, its name, or the beginning of its id, in this order.</summary>
public static class Lookup
{
    public static SwarmService Service(StoreView view, string reference) =>
        Only(view.Services, "service", reference, r => view.ServiceNamed(r) is { } named ? [named] : []);

    public static SwarmNetwork Network(StoreView view, string reference) =>
        Only(view.Networks, "network", reference, r => view.NetworkNamed(r) is { } named ? [named] : []);

    public static SwarmNode Node(StoreView view, string reference) =>
        Only(view.Nodes, "node", reference, r => [.. view.Nodes.Values.Where(n => n.Spec.Name == r || n.Description?.Hostname == r)]);

    public static SwarmTask Task(StoreView view, string reference) =>
        Only(view.Tasks, "task", reference, r => [.. view.Tasks.Values.Where(t => t.Name == r)]);

    private static T Only<T>(IReadOnlyDictionary<string, T> all, string word, string reference, Func<string, IReadOnlyList<T>> named)
        where T : SwarmObject
    {
        if (all.TryGetValue(reference, out var exact))
        {
            return exact;
        }

        var found = named(reference);
        if (found.Count == 0 && reference.Length > 0)
        {
            found = [.. all.Values.Where(o => o.Id.StartsWith(reference, StringComparison.Ordinal))];
        }

        return found.Count switch
        {
            0 => throw ClusterException.NotFound(word, reference),
            1 => found[0],
            _ => throw ClusterException.Invalid($"{word} {reference} is ambiguous ({found.Count} matches found)"),
        };
    }
}
