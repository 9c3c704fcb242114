using System.Collections.Immutable;
using Skep.Model.Objects;

namespace Skep.Manager.Store;

/// <summary>Everything in the store at one revision. An immutable value; reading it takes no lock.</summary>
public sealed class StoreView
{
    // Before Empty: static fields are set in the order in which they stand.
    private static readonly ImmutableDictionary<string, ImmutableHashSet<string>> s_noIndex =
        ImmutableDictionary<string, ImmutableHashSet<string>>.Empty;

    public static readonly StoreView Empty = new();

    private StoreView()
    {
    }

    public ulong Revision { get; private init; }
    public SwarmCluster? Cluster { get; private init; }
    public ImmutableDictionary<string, SwarmNode> Nodes { get; private init; } = ImmutableDictionary<string, SwarmNode>.Empty;
    public ImmutableDictionary<string, SwarmNetwork> Networks { get; private init; } = ImmutableDictionary<string, SwarmNetwork>.Empty;
    public ImmutableDictionary<string, SwarmService> Services { get; private init; } = ImmutableDictionary<string, SwarmService>.Empty;
    public ImmutableDictionary<string, SwarmTask> Tasks { get; private init; } = ImmutableDictionary<string, SwarmTask>.Empty;

    private ImmutableDictionary<string, string> Names { get; init; } = ImmutableDictionary<string, string>.Empty;
    private ImmutableDictionary<string, ImmutableHashSet<string>> ByService { get; init; } = s_noIndex;
    private ImmutableDictionary<string, ImmutableHashSet<string>> ByNode { get; init; } = s_noIndex;

    public IEnumerable<SwarmTask> TasksOfService(string serviceId) => Indexed(ByService, serviceId);

    public IEnumerable<SwarmTask> TasksOnNode(string nodeId) => Indexed(ByNode, nodeId);

    /// <summary>The service of that name, whatever its case; null when there is none.</summary>
    public SwarmService? ServiceNamed(string name) =>
        Names.TryGetValue(NameKey(ObjectKind.Service, name), out var id) ? Services[id] : null;

    /// <summary>The network of that name, whatever its case; null when there is none.</summary>
    public SwarmNetwork? NetworkNamed(string name) =>
        Names.TryGetValue(NameKey(ObjectKind.Network, name), out var id) ? Networks[id] : null;

    public SwarmObject? Find(ObjectKind kind, string id) => kind switch
    {
        ObjectKind.Cluster => Cluster?.Id == id ? Cluster : null,
        ObjectKind.Node => Nodes.GetValueOrDefault(id),
        ObjectKind.Network => Networks.GetValueOrDefault(id),
        ObjectKind.Service => Services.GetValueOrDefault(id),
        ObjectKind.Task => Tasks.GetValueOrDefault(id),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind."),
    };

    /// <summary>The view after one commit. <paramref name="written"/> has the objects with their new versions.</summary>
    public StoreCommit Apply(ulong revision, IEnumerable<SwarmObject> written, IEnumerable<(ObjectKind Kind, string Id)> removed)
    {
        var events = new List<StoreEvent>();
        var edit = new StoreViewBuilder(this);
        foreach (var value in written)
        {
            events.Add(new StoreEvent(edit.Find(value.Kind, value.Id), value));
            edit.Put(value);
        }

        foreach (var (kind, id) in removed)
        {
            if (edit.Find(kind, id) is { } old)
            {
                events.Add(new StoreEvent(old, null));
                edit.Drop(old);
            }
        }

        return new StoreCommit(edit.Build(revision), events);
    }

    internal static string NameKey(ObjectKind kind, string name) => $"{kind}/{name.ToLowerInvariant()}";

    private IEnumerable<SwarmTask> Indexed(ImmutableDictionary<string, ImmutableHashSet<string>> index, string key)
    {
        if (index.TryGetValue(key, out var ids))
        {
            foreach (var id in ids)
            {
                yield return Tasks[id];
            }
        }
    }

    /// <summary>The mutable side of a view while one commit is applied.</summary>
    private sealed class StoreViewBuilder(StoreView view)
    {
        private SwarmCluster? _cluster = view.Cluster;
        private readonly ImmutableDictionary<string, SwarmNode>.Builder _nodes = view.Nodes.ToBuilder();
        private readonly ImmutableDictionary<string, SwarmNetwork>.Builder _networks = view.Networks.ToBuilder();
        private readonly ImmutableDictionary<string, SwarmService>.Builder _services = view.Services.ToBuilder();
        private readonly ImmutableDictionary<string, SwarmTask>.Builder _tasks = view.Tasks.ToBuilder();
        private readonly ImmutableDictionary<string, string>.Builder _names = view.Names.ToBuilder();
        private readonly ImmutableDictionary<string, ImmutableHashSet<string>>.Builder _byService = view.ByService.ToBuilder();
        private readonly ImmutableDictionary<string, ImmutableHashSet<string>>.Builder _byNode = view.ByNode.ToBuilder();

        public SwarmObject? Find(ObjectKind kind, string id) => kind switch
        {
            ObjectKind.Cluster => _cluster?.Id == id ? _cluster : null,
            ObjectKind.Node => _nodes.GetValueOrDefault(id),
            ObjectKind.Network => _networks.GetValueOrDefault(id),
            ObjectKind.Service => _services.GetValueOrDefault(id),
            _ => _tasks.GetValueOrDefault(id),
        };

        public void Put(SwarmObject value)
        {
            if (Find(value.Kind, value.Id) is { } old)
            {
                Drop(old);
            }

            if (value.UniqueName is { } name)
            {
                _names[NameKey(value.Kind, name)] = value.Id;
            }

            switch (value)
            {
                case SwarmCluster cluster: _cluster = cluster; break;
                case SwarmNode node: _nodes[node.Id] = node; break;
                case SwarmNetwork network: _networks[network.Id] = network; break;
                case SwarmService service: _services[service.Id] = service; break;
                case SwarmTask task:
                    _tasks[task.Id] = task;
                    Link(_byService, task.ServiceId, task.Id);
                    Link(_byNode, task.NodeId, task.Id);
                    break;
            }
        }

        public void Drop(SwarmObject value)
        {
            if (value.UniqueName is { } name)
            {
                _names.Remove(NameKey(value.Kind, name));
            }

            switch (value)
            {
                case SwarmCluster: _cluster = null; break;
                case SwarmNode: _nodes.Remove(value.Id); break;
                case SwarmNetwork: _networks.Remove(value.Id); break;
                case SwarmService: _services.Remove(value.Id); break;
                case SwarmTask task:
                    _tasks.Remove(task.Id);
                    Unlink(_byService, task.ServiceId, task.Id);
                    Unlink(_byNode, task.NodeId, task.Id);
                    break;
            }
        }

        public StoreView Build(ulong revision) => new()
        {
            Revision = revision,
            Cluster = _cluster,
            Nodes = _nodes.ToImmutable(),
            Networks = _networks.ToImmutable(),
            Services = _services.ToImmutable(),
            Tasks = _tasks.ToImmutable(),
            Names = _names.ToImmutable(),
            ByService = _byService.ToImmutable(),
            ByNode = _byNode.ToImmutable(),
        };

        private static void Link(ImmutableDictionary<string, ImmutableHashSet<string>>.Builder index, string key, string id)
        {
            if (key.Length > 0)
            {
                index[key] = (index.TryGetValue(key, out var ids) ? ids : []).Add(id);
            }
        }

        private static void Unlink(ImmutableDictionary<string, ImmutableHashSet<string>>.Builder index, string key, string id)
        {
            if (key.Length == 0 || !index.TryGetValue(key, out var ids))
            {
                return;
            }

            ids = ids.Remove(id);
            if (ids.IsEmpty)
            {
                index.Remove(key);
            }
            else
            {
                index[key] = ids;
            }
        }
    }
}
