using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Replaces a service's tasks slot by slot when its wish has changed. There is no worker that could be lost with its leader: which
/// slots are new, which are being replaced and which come next is read from the tasks on every pass.
/// </summary>
public sealed class Updater(UpdateJournal journal)
{
    public const long DefaultMonitorNanoseconds = 5_000_000_000;

    public void Update(ServiceTasks tasks)
    {
        FinishReplacements(tasks);
        if (tasks.Service.UpdateStatus?.State is UpdateState.Paused or UpdateState.RollbackPaused)
        {
            return;
        }

        var slots = tasks.Slots.Where(s => s.HasLive || RestartSupervisor.IsFinished(tasks.Policy, s)).ToArray();
        var dirty = slots.Where(s => IsDirty(tasks, s)).ToArray();
        if (!IsUnderWay(tasks.Service))
        {
            if (dirty.Length == 0)
            {
                return;
            }

            SetStatus(tasks, UpdateState.Updating, "update in progress", started: true);
        }

        if (Judge(tasks, slots))
        {
            return;
        }

        Advance(tasks, slots, dirty);
    }

    private static bool IsUnderWay(SwarmService service) => service.UpdateStatus?.State is UpdateState.Updating or UpdateState.RollbackStarted;

    private static bool IsRollback(SwarmService service) => service.UpdateStatus?.State == UpdateState.RollbackStarted;

    private static UpdateConfig Config(SwarmService service) =>
        (IsRollback(service) ? service.Spec.RollbackConfig : service.Spec.UpdateConfig) ?? new UpdateConfig { Parallelism = 1 };

    private static bool IsDirty(ServiceTasks tasks, Slot slot) =>
        slot.HasLive ? slot.Live.Any(tasks.IsDirty) : slot.Newest is { } newest && tasks.IsDirty(newest);

    /// <summary>The first task that this update put in the slot.</summary>
    private static SwarmTask? First(ServiceTasks tasks, Slot slot) => slot.Tasks.FirstOrDefault(t =>
        t.SpecVersion == tasks.Service.SpecVersion && t.CreatedAt >= tasks.Service.UpdateStatus?.StartedAt);

    /// <summary>
    /// Where an up-to-date task runs beside old ones, the old ones stop: the second half of start-first. More than one up-to-date
    /// task in a slot can be the trace of a commit whose answer was lost; the one that is furthest stays.
    /// </summary>
    private static void FinishReplacements(ServiceTasks tasks)
    {
        foreach (var slot in tasks.Slots)
        {
            var clean = slot.Live.Where(t => !tasks.IsDirty(t)).OrderByDescending(t => t.Status.State).ToArray();
            foreach (var extra in clean.Skip(1))
            {
                tasks.Desire(extra, TaskState.Shutdown);
            }

            if (clean is [{ Status.State: TaskState.Running }, ..])
            {
                foreach (var old in slot.Live.Where(tasks.IsDirty).ToArray())
                {
                    tasks.Desire(old, TaskState.Shutdown);
                }
            }
        }
    }

    /// <summary>Counts slots whose new task failed; true when there are too many and the failure action was taken.</summary>
    private bool Judge(ServiceTasks tasks, Slot[] slots)
    {
        var config = Config(tasks.Service);
        var monitor = Time.Span(config.Monitor ?? DefaultMonitorNanoseconds);
        var failed = slots.Select(s => First(tasks, s)).OfType<SwarmTask>().Where(t => journal.FailedEarly(t, monitor)).ToArray();
        if (failed.Length == 0 || config.FailureAction == "continue" || (float)failed.Length / Math.Max(1, slots.Length) <= config.MaxFailureRatio)
        {
            return false;
        }

        var cause = $"due to failure or early termination of task {failed[0].Id}";
        if (IsRollback(tasks.Service))
        {
            SetStatus(tasks, UpdateState.RollbackPaused, $"rollback paused {cause}");
        }
        else if (config.FailureAction == "rollback" && tasks.Service.PreviousSpec is { } previous)
        {
            tasks.Update(tasks.Service with
            {
                Spec = previous,
                SpecVersion = tasks.Service.PreviousSpecVersion ?? 0,
                PreviousSpec = null,
                PreviousSpecVersion = null,
            });
            SetStatus(tasks, UpdateState.RollbackStarted, $"update rolled back {cause}", started: true);
            tasks.Wake(tasks.Work.Now);
        }
        else
        {
            SetStatus(tasks, UpdateState.Paused, $"update paused {cause}");
        }

        return true;
    }

    private void Advance(ServiceTasks tasks, Slot[] slots, Slot[] dirty)
    {
        var config = Config(tasks.Service);
        var delay = Time.Span(config.Delay ?? 0);
        var busy = slots.Count(s => First(tasks, s) is { } first && IsBusy(tasks, first, delay));
        var next = dirty.Where(s => First(tasks, s) is null).ToArray();
        var room = config.Parallelism == 0 ? next.Length : (int)Math.Min(config.Parallelism, int.MaxValue) - busy;
        foreach (var slot in next.Take(Math.Max(0, room)))
        {
            Replace(tasks, slot, startFirst: config.Order == "start-first");
        }

        if (next.Length == 0 && busy == 0)
        {
            Complete(tasks, slots, config, delay);
        }
    }

    /// <summary>A slot holds its place among the parallel ones until its new task runs or has failed, and for the delay after that.</summary>
    private bool IsBusy(ServiceTasks tasks, SwarmTask first, TimeSpan delay)
    {
        if (first.Status.State < TaskState.Running)
        {
            return first.DesiredState <= TaskState.Running;
        }

        var free = Reached(first) + delay;
        if (free > tasks.Work.Now)
        {
            tasks.Wake(free);
            return true;
        }

        return false;
    }

    /// <summary>When the task came up, or failed to.</summary>
    private DateTimeOffset Reached(SwarmTask task) => journal.RunningSince(task.Id) ?? RestartSupervisor.EndOf(task);

    private static void Replace(ServiceTasks tasks, Slot slot, bool startFirst)
    {
        var old = slot.Live.ToArray();
        if (startFirst)
        {
            // One old task serves until the new one runs; what an overtaken update left half done is no use.
            var serves = Array.FindLast(old, t => t.Status.State == TaskState.Running);
            foreach (var task in old.Where(t => t != serves))
            {
                tasks.Desire(task, TaskState.Shutdown);
            }

            tasks.Add(slot.Key, TaskState.Running);
            return;
        }

        foreach (var task in old)
        {
            tasks.Desire(task, TaskState.Shutdown);
        }

        // The new task is placed and prepared while the old one stops, and starts after it.
        tasks.Add(slot.Key, slot.Tasks.Any(tasks.IsStopping) ? TaskState.Ready : TaskState.Running);
    }

    private void Complete(ServiceTasks tasks, Slot[] slots, UpdateConfig config, TimeSpan delay)
    {
        var monitor = Time.Span(config.Monitor ?? DefaultMonitorNanoseconds);
        var watch = delay >= monitor ? delay + TimeSpan.FromSeconds(1) : monitor;
        var last = slots.Select(s => First(tasks, s)).OfType<SwarmTask>().Select(Reached)
            .Append(tasks.Service.UpdateStatus?.StartedAt ?? tasks.Work.Now).Max();
        if (tasks.Work.Now < last + watch)
        {
            tasks.Wake(last + watch);
            return;
        }

        if (IsRollback(tasks.Service))
        {
            SetStatus(tasks, UpdateState.RollbackCompleted, "rollback completed");
        }
        else
        {
            SetStatus(tasks, UpdateState.Completed, "update completed");
        }
    }

    private static void SetStatus(ServiceTasks tasks, UpdateState state, string message, bool started = false)
    {
        var now = tasks.Work.Now;
        var status = started
            ? new UpdateStatus { State = state, Message = message, StartedAt = now }
            : (tasks.Service.UpdateStatus ?? new UpdateStatus()) with { State = state, Message = message };
        tasks.Update(tasks.Service with
        {
            UpdateStatus = state is UpdateState.Completed or UpdateState.RollbackCompleted ? status with { CompletedAt = now } : status,
        });
    }
}
