using Skep.Manager.Orchestration;
using Skep.Manager.Store;
using Skep.Model.Objects;

namespace Skep.Manager.Control;

/// <summary>Tasks that the updater would leave as they are: what clients count while they wait for a service to converge.</summary>
public sealed class UpToDateTasks(StoreView view)
{
    private readonly Dictionary<string, TaskComparison> _comparisons = [];

    public bool Contains(SwarmTask task)
    {
        if (!view.Services.TryGetValue(task.ServiceId, out var service))
        {
            return false;
        }

        if (!_comparisons.TryGetValue(service.Id, out var comparison))
        {
            _comparisons[service.Id] = comparison = new TaskComparison(service);
        }

        return !comparison.IsDirty(task, view.Nodes.GetValueOrDefault(task.NodeId));
    }
}
