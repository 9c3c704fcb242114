using System.Net.Sockets;
using Skep.Manager.Store;
using Skep.Model.Objects;

namespace Skep.Manager.Orchestration;

/// <summary>
/// A view with changes on top that are not committed yet. The stages of one pass read and write it one after the other, so what
/// the first decides the last can finish in the same transaction. The books follow every change.
/// </summary>
public sealed class WorkingSet(StoreView view, ClusterBooks books, DateTimeOffset now)
{
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly List<string> _order = [];
    private readonly Dictionary<string, List<string>> _createdTasks = [];

    public StoreView View => view;
    public ClusterBooks Books => books;
    public DateTimeOffset Now => now;

    /// <summary>The sentences of networks that had no free address in this pass: who has them is counted once.</summary>
    public Dictionary<(string NetworkId, AddressFamily Family), string> Exhausted { get; } = [];

    public SwarmTask? Task(string id) => Get(id, view.Tasks.GetValueOrDefault(id));

    public SwarmService? Service(string id) => Get(id, view.Services.GetValueOrDefault(id));

    public SwarmNetwork? Network(string id) => Get(id, view.Networks.GetValueOrDefault(id));

    public SwarmNode? Node(string id) => id.Length == 0 ? null : Get(id, view.Nodes.GetValueOrDefault(id));

    /// <summary>Every network, in the order of the ids.</summary>
    public IEnumerable<SwarmNetwork> Networks => view.Networks.Keys.Order(StringComparer.Ordinal).Select(Network).OfType<SwarmNetwork>();

    public SwarmNetwork? IngressNetwork => Networks.FirstOrDefault(n => n.Spec.Ingress);

    public IEnumerable<SwarmTask> TasksOfService(string serviceId)
    {
        foreach (var task in view.TasksOfService(serviceId))
        {
            if (Task(task.Id) is { } current)
            {
                yield return current;
            }
        }

        foreach (var id in _createdTasks.GetValueOrDefault(serviceId, []))
        {
            if (Task(id) is { } created)
            {
                yield return created;
            }
        }
    }

    public void Create(SwarmObject value)
    {
        var created = value with { CreatedAt = now, UpdatedAt = now };
        Write(value.Id, null, created);
        if (created is SwarmTask task)
        {
            if (!_createdTasks.TryGetValue(task.ServiceId, out var ids))
            {
                _createdTasks[task.ServiceId] = ids = [];
            }

            ids.Add(task.Id);
        }
    }

    public void Update(SwarmObject value) => Write(value.Id, view.Find(value.Kind, value.Id), value with { UpdatedAt = now });

    public void Remove(SwarmObject value)
    {
        Write(value.Id, view.Find(value.Kind, value.Id), null);
        books.Drop(value);
    }

    /// <summary>What has to be committed, in the order in which the objects were first touched.</summary>
    public IReadOnlyList<StoreChange> Changes()
    {
        var changes = new List<StoreChange>(_order.Count);
        foreach (var entry in _order.Select(id => _entries[id]))
        {
            if ((entry.Original, entry.Current) is (null, { } created))
            {
                changes.Add(new StoreChange(StoreVerb.Create, created));
            }
            else if (entry is { Original: { } original, Current: var current })
            {
                changes.Add(current is null ? new StoreChange(StoreVerb.Remove, original) : new StoreChange(StoreVerb.Update, current));
            }
        }

        return changes;
    }

    private void Write(string id, SwarmObject? original, SwarmObject? current)
    {
        if (_entries.TryGetValue(id, out var entry))
        {
            original = entry.Original;
        }
        else
        {
            _order.Add(id);
        }

        _entries[id] = new Entry(original, current);
        if (current is not null)
        {
            books.Set(current);
        }
    }

    private T? Get<T>(string id, T? stored)
        where T : SwarmObject =>
        _entries.TryGetValue(id, out var entry) ? entry.Current as T : stored;

    private readonly record struct Entry(SwarmObject? Original, SwarmObject? Current);
}
