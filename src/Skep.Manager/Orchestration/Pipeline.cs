using Skep.Manager.Allocation;
using Skep.Manager.Scheduling;
using Skep.Manager.Store;

namespace Skep.Manager.Orchestration;

/// <summary>
/// The stages of one pass, each on what the one before left: networks and endpoints, tasks, addresses, nodes. A task that finds
/// everything at hand goes from nothing to ASSIGNED in one transaction.
/// </summary>
public sealed class Pipeline
{
    private readonly Allocator _allocator = new();
    private readonly NodeLosses _losses = new();
    private readonly Orchestrator _orchestrator;
    private readonly Dictionary<string, DateTimeOffset> _wakes = [];
    private DateTimeOffset? _wakeForNodes;

    public Pipeline(UpdateJournal journal, Func<string> newId) => _orchestrator = new Orchestrator(journal, _losses, newId);

    /// <summary>When a pass is due though nothing changes; null = never.</summary>
    public DateTimeOffset? WakeAt => _wakes.Values.Cast<DateTimeOffset?>().Append(_wakeForNodes).Min();

    /// <summary>Adds to <paramref name="dirt"/> what the clock has made due.</summary>
    public void AddDue(Dirt dirt, StoreView view, DateTimeOffset now)
    {
        dirt.Services.UnionWith(_wakes.Where(w => w.Value <= now).Select(w => w.Key));
        if (_wakeForNodes <= now)
        {
            var given = _losses.GivenUp(now).ToArray();
            dirt.Nodes.UnionWith(given);
            dirt.Services.UnionWith(given.SelectMany(view.TasksOnNode).Select(t => t.ServiceId).Where(id => id.Length > 0));
        }
    }

    public void Run(WorkingSet work, Dirt dirt)
    {
        Allocator.AllocateNetworks(work, dirt.Networks);
        Allocator.AllocateNodes(work, dirt.Nodes);
        _wakeForNodes = _losses.Note(work, dirt.Nodes);

        var enforcer = new ConstraintEnforcer(dirt.Nodes);
        foreach (var serviceId in dirt.Services.Order(StringComparer.Ordinal))
        {
            _allocator.AllocateService(work, serviceId);
            if (_orchestrator.Reconcile(work, serviceId, enforcer) is { } wake)
            {
                _wakes[serviceId] = wake;
            }
            else
            {
                _wakes.Remove(serviceId);
            }
        }

        foreach (var taskId in dirt.LooseTasks.Order(StringComparer.Ordinal))
        {
            _orchestrator.ReconcileLoose(work, taskId);
        }

        if (dirt.Addresses)
        {
            foreach (var serviceId in _allocator.Waiting.Order(StringComparer.Ordinal).ToArray())
            {
                _allocator.AllocateService(work, serviceId);
            }
        }

        _allocator.AllocateTasks(work);
        Scheduler.Schedule(work, dirt.Placement, dirt.Services);
        foreach (var nodeId in dirt.Balancers.Order(StringComparer.Ordinal))
        {
            BalancerAllocator.Allocate(work, nodeId);
        }
    }
}
