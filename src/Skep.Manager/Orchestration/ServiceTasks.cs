using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>One service in one pass: its wish, its slots, and the ways to change its tasks.</summary>
public sealed class ServiceTasks
{
    private readonly WorkingSet _work;
    private readonly SortedDictionary<SlotKey, Slot> _slots = [];
    private readonly Func<string> _newId;

    public ServiceTasks(WorkingSet work, SwarmService service, Func<string> newId)
    {
        (_work, _newId) = (work, newId);
        Service = service;
        Comparison = new TaskComparison(service);
        foreach (var task in work.TasksOfService(service.Id))
        {
            At(SlotKey.Of(task)).Put(task);
        }

        foreach (var slot in _slots.Values)
        {
            slot.Sort();
        }
    }

    public WorkingSet Work => _work;
    public SwarmService Service { get; private set; }
    public TaskComparison Comparison { get; private set; }
    public IEnumerable<Slot> Slots => _slots.Values;
    public RestartPolicy? Policy => Service.Spec.TaskTemplate.RestartPolicy;

    /// <summary>When this service has to be looked at again though nothing changes; null = never.</summary>
    public DateTimeOffset? WakeAt { get; private set; }

    public Slot At(SlotKey key)
    {
        if (!_slots.TryGetValue(key, out var slot))
        {
            _slots[key] = slot = new Slot(key);
        }

        return slot;
    }

    public void Wake(DateTimeOffset at) => WakeAt = WakeAt is { } earlier && earlier <= at ? earlier : at;

    public bool IsDirty(SwarmTask task) => Comparison.IsDirty(task, _work.Node(task.NodeId));

    /// <summary>A node that keeps no tasks: it is gone, down or drained.</summary>
    public bool NodeIsLost(SwarmTask task) => task.NodeId.Length > 0 && task.Status.State >= TaskState.Assigned
        && _work.Node(task.NodeId) is null or { Status.State: NodeState.Down } or { Spec.Availability: NodeSpec.Drain };

    /// <summary>A node from which no word about the task will come: it is gone or down.</summary>
    public bool NodeIsSilent(SwarmTask task) =>
        task.NodeId.Length > 0 && _work.Node(task.NodeId) is null or { Status.State: NodeState.Down };

    /// <summary>A task that was told to stop and may still run on a node that would say so.</summary>
    public bool IsStopping(SwarmTask task) => task.DesiredState == TaskState.Shutdown
        && task.Status.State is >= TaskState.Assigned and <= TaskState.Running && !NodeIsSilent(task);

    public SwarmTask Add(SlotKey key, TaskState desired, DateTimeOffset? startAfter = null)
    {
        var template = Service.Spec.TaskTemplate;
        var task = new SwarmTask
        {
            Id = _newId(),
            Spec = template with { Networks = template.Networks ?? Service.Spec.Networks },
            ServiceId = Service.Id,
            ServiceName = Service.Spec.Name,
            ServiceLabels = Service.Spec.Labels,
            Slot = key.Number,
            NodeId = key.NodeId,
            SpecVersion = Service.SpecVersion,
            Status = new SwarmTaskStatus { State = TaskState.New, Message = "created", Timestamp = _work.Now },
            DesiredState = desired,
            StartAfter = startAfter,
            Endpoint = Service.Spec.EndpointSpec,
            LogDriver = template.LogDriver ?? _work.View.Cluster?.Spec.TaskDefaults.LogDriver,
        };
        _work.Create(task);
        task = _work.Task(task.Id)!;
        At(key).Put(task);
        return task;
    }

    /// <summary>Asks for a state; desired states only grow.</summary>
    public void Desire(SwarmTask task, TaskState desired)
    {
        if (task.DesiredState < desired)
        {
            Update(task with { DesiredState = desired });
        }
    }

    public void Update(SwarmTask task)
    {
        _work.Update(task);
        At(SlotKey.Of(task)).Put(_work.Task(task.Id)!);
    }

    public void Remove(SwarmTask task)
    {
        _work.Remove(task);
        At(SlotKey.Of(task)).Drop(task);
    }

    public void Update(SwarmService service)
    {
        _work.Update(service);
        Service = _work.Service(service.Id)!;
        Comparison = new TaskComparison(Service);
    }

    public static string RandomId() => ObjectId.New();
}
