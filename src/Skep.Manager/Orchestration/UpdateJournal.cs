using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Since when tasks run, and how they ended: by themselves or as they were told. The store keeps only a task's last status; after a
/// change of leader what came before is not known, and a failure then counts against the update rather than for it.
/// </summary>
public sealed class UpdateJournal
{
    private readonly Dictionary<string, DateTimeOffset> _runningSince = [];
    private readonly HashSet<string> _told = [];

    public void Rebuild(StoreView view)
    {
        foreach (var task in view.Tasks.Values.Where(t => t.Status.State == TaskState.Running))
        {
            _runningSince[task.Id] = RestartSupervisor.EndOf(task);
        }
    }

    public void Apply(StoreEvent change)
    {
        if (change.Subject is not SwarmTask task)
        {
            return;
        }

        if (change.New is null)
        {
            _runningSince.Remove(task.Id);
            _told.Remove(task.Id);
        }
        else if (task.Status.State == TaskState.Running)
        {
            _runningSince.TryAdd(task.Id, RestartSupervisor.EndOf(task));
        }
        else if (task.Status.State > TaskState.Running && change.Old is SwarmTask { Status.State: <= TaskState.Running, DesiredState: > TaskState.Running })
        {
            _told.Add(task.Id);
        }
    }

    /// <summary>Null when it does not run, or ran before this leader's time.</summary>
    public DateTimeOffset? RunningSince(string taskId) => _runningSince.TryGetValue(taskId, out var since) ? since : null;

    /// <summary>Did the task end by itself, before it was up for as long as an update watches it?</summary>
    public bool FailedEarly(SwarmTask task, TimeSpan monitor) =>
        task.Status.State is TaskState.Complete or TaskState.Failed or TaskState.Rejected
        && !_told.Contains(task.Id)
        && (RunningSince(task.Id) is not { } since || RestartSupervisor.EndOf(task) - since <= monitor);
}
