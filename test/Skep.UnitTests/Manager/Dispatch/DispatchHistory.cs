using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.UnitTests.Manager.Dispatch;

/// <summary>A seeded random life of a small cluster, commit by commit: every kind of change that the managers make, in any order.</summary>
internal sealed class DispatchHistory(int seed)
{
    private readonly Random _random = new(seed);
    private int _next;

    public StoreView View { get; private set; } = StoreView.Empty;

    /// <summary>Makes one commit of one to four changes.</summary>
    public StoreCommit Next()
    {
        var written = new Dictionary<string, SwarmObject>();
        var removed = new Dictionary<string, (ObjectKind, string)>();
        for (var count = _random.Next(1, 5); count > 0; count--)
        {
            if (Change() is not var (verb, value) || written.ContainsKey(value.Id) || removed.ContainsKey(value.Id))
            {
                continue;
            }

            if (verb == StoreVerb.Remove)
            {
                removed[value.Id] = (value.Kind, value.Id);
            }
            else
            {
                written[value.Id] = value;
            }
        }

        var commit = View.Apply(View.Revision + 1, written.Values, removed.Values);
        View = commit.View;
        return commit;
    }

    private (StoreVerb Verb, SwarmObject Value)? Change() => _random.Next(14) switch
    {
        0 => (StoreVerb.Create, Network()),
        1 => Any(View.Networks.Values) is { } network ? (StoreVerb.Update, network with { Vni = network.Vni == 0 ? (uint)++_next : network.Vni, Spec = network.Spec with { Internal = _random.Next(2) == 0 } }) : null,
        2 => Any(View.Networks.Values) is { } network && _random.Next(3) == 0 ? (StoreVerb.Remove, network) : null,
        3 => (StoreVerb.Create, new SwarmNode { Id = $"node{++_next}", DataPathAddress = _random.Next(3) == 0 ? "" : $"192.0.2.{_next % 4}", Spec = NodeSpec() }),
        4 => Any(View.Nodes.Values) is { } node ? (StoreVerb.Update, Changed(node)) : null,
        5 => Any(View.Nodes.Values) is { } node && _random.Next(3) == 0 ? (StoreVerb.Remove, node) : null,
        6 => (StoreVerb.Create, Service()),
        7 => Any(View.Services.Values) is { } service ? (StoreVerb.Update, service with { Endpoint = Endpoint(), Spec = service.Spec with { Labels = Labels() } }) : null,
        8 => Any(View.Services.Values) is { } service && _random.Next(3) == 0 ? (StoreVerb.Remove, service) : null,
        9 or 10 => (StoreVerb.Create, NewTask()),
        11 or 12 => Any(View.Tasks.Values) is { } task ? (StoreVerb.Update, Grown(task)) : null,
        _ => Any(View.Tasks.Values) is { } task ? (StoreVerb.Remove, task) : null,
    };

    private SwarmNetwork Network()
    {
        var id = $"net{++_next}";
        return new SwarmNetwork
        {
            Id = id,
            Vni = _random.Next(4) == 0 ? 0 : (uint)_next,
            Spec = new NetworkSpec { Name = id, Ingress = View.Networks.Values.All(n => !n.Spec.Ingress) && _random.Next(2) == 0 },
        };
    }

    private SwarmService Service()
    {
        var id = $"svc{++_next}";
        return new SwarmService { Id = id, Spec = new ServiceSpec { Name = id, Labels = Labels() }, Endpoint = Endpoint() };
    }

    /// <summary>Another address, which a node that is down may have had, or another state.</summary>
    private SwarmNode Changed(SwarmNode node) => _random.Next(2) == 0
        ? node with { DataPathAddress = $"192.0.2.{++_next % 4}", Spec = NodeSpec() }
        : node with { Status = node.Status with { State = node.Status.State == NodeState.Down ? NodeState.Ready : NodeState.Down } };

    private NodeSpec NodeSpec() => new() { Labels = new Dictionary<string, string> { ["edge"] = _random.Next(2) == 0 ? "true" : "false" } };

    /// <summary>Nothing, the name of a service that was, is or will be, or a restriction to nodes of a kind.</summary>
    private Dictionary<string, string> Labels() => _random.Next(4) switch
    {
        0 => new() { ["skep.balance.with"] = $"svc{_random.Next(Math.Max(1, _next - 20), _next + 10)}", ["skep.balance.weight"] = $"{_random.Next(1, 9)}" },
        1 => new() { ["skep.publish.nodes"] = "node.labels.edge==true" },
        _ => [],
    };

    private ServiceEndpoint Endpoint() => new()
    {
        Ports = [new PortConfig { TargetPort = 80, PublishedPort = (uint)_random.Next(1, 100), PublishMode = _random.Next(3) == 0 ? "host" : null }],
        VirtualIPs = [.. Some(View.Networks.Values).Select(n => new VirtualIp(n.Id, $"10.0.0.{_random.Next(250)}/24"))],
    };

    private SwarmTask NewTask() => new()
    {
        Id = $"task{++_next}",
        ServiceId = Any(View.Services.Values)?.Id ?? "svc0",
        ServiceName = "web",
        Slot = 1,
        Attachments = [.. Some(View.Networks.Values).Select(n => new TaskAttachment(n.Id, [$"10.0.0.{_random.Next(250)}/24"]))],
        NodeId = _random.Next(2) == 0 ? Any(View.Nodes.Values)?.Id ?? "" : "",
        Status = new SwarmTaskStatus { State = TaskState.Pending },
    };

    /// <summary>The state grows, or the wish does; a task without a node gets one as it is assigned.</summary>
    private SwarmTask Grown(SwarmTask task)
    {
        TaskState[] states = [TaskState.Assigned, TaskState.Preparing, TaskState.Starting, TaskState.Running, TaskState.Complete, TaskState.Shutdown, TaskState.Failed];
        if (_random.Next(4) == 0)
        {
            return task with { DesiredState = TaskState.Shutdown };
        }

        var next = states[_random.Next(states.Length)];
        var node = task.NodeId.Length > 0 ? task.NodeId : Any(View.Nodes.Values)?.Id ?? "";
        return next > task.Status.State && node.Length > 0 ? task with { NodeId = node, Status = task.Status with { State = next } } : task;
    }

    private T? Any<T>(IEnumerable<T> all)
        where T : SwarmObject
    {
        var list = all.OrderBy(v => v.Id, StringComparer.Ordinal).ToList();
        return list.Count == 0 ? null : list[_random.Next(list.Count)];
    }

    private List<T> Some<T>(IEnumerable<T> all)
        where T : SwarmObject =>
        [.. all.OrderBy(v => v.Id, StringComparer.Ordinal).Where(_ => _random.Next(3) == 0)];
}
