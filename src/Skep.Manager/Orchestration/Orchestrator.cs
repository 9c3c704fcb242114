using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>
/// The first stage: turns wishes into tasks. One service is brought one step nearer to its wish, from what the tasks are now; to
/// do it twice changes nothing.
/// </summary>
public sealed class Orchestrator(UpdateJournal journal, NodeLosses losses, Func<string> newId)
{
    private readonly Updater _updater = new(journal);

    /// <summary>Returns when the service has to be looked at again though nothing changes; null = not.</summary>
    public DateTimeOffset? Reconcile(WorkingSet work, string serviceId, ConstraintEnforcer enforcer)
    {
        if (work.Service(serviceId) is not { } service)
        {
            Forget(work, serviceId);
            return null;
        }

        if (service.Spec.Mode is { ReplicatedJob: not null } or { GlobalJob: not null })
        {
            return null;
        }

        var tasks = new ServiceTasks(work, service, newId);
        if (service.Spec.Mode.Global is not null)
        {
            GlobalService.Reconcile(tasks, enforcer);
        }
        else
        {
            ReplicatedService.Restart(tasks, enforcer);
            ReplicatedService.Scale(tasks);
        }

        _updater.Update(tasks);
        foreach (var slot in tasks.Slots)
        {
            RestartSupervisor.Promote(tasks, slot);
            foreach (var task in slot.Tasks.ToArray())
            {
                losses.GiveUp(work, task);
            }
        }

        // What was given up is over: the reaper looks at the tasks anew.
        TaskReaper.Reap(new ServiceTasks(work, tasks.Service, newId));
        return tasks.WakeAt;
    }

    /// <summary>A task that no service made (a container attached to a network by hand).</summary>
    public void ReconcileLoose(WorkingSet work, string taskId)
    {
        if (work.Task(taskId) is { } task)
        {
            Forget(work, task);
        }
    }

    private void Forget(WorkingSet work, string serviceId)
    {
        foreach (var task in work.TasksOfService(serviceId).ToArray())
        {
            if (task.DesiredState < TaskState.Remove)
            {
                work.Update(task with { DesiredState = TaskState.Remove });
            }

            Forget(work, work.Task(task.Id)!);
        }
    }

    private void Forget(WorkingSet work, SwarmTask task)
    {
        losses.GiveUp(work, task);
        if (work.Task(task.Id) is { } now && TaskReaper.IsForgotten(work, now))
        {
            work.Remove(now);
        }
    }
}
