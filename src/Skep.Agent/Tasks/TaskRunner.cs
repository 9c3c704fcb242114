using Skep.Agent.Runtime;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.States;
using Skep.Network;
using Skep.Protocol.Node;

namespace Skep.Agent.Tasks;

/// <summary>Takes one task through its life. One step at a time; after each the wish is read again.</summary>
internal sealed class TaskRunner(SwarmTask assigned, TaskContext context) : IDisposable
{
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRetry = TimeSpan.FromSeconds(8);

    private readonly string _containerId = ContainerId.Of(assigned.Id);
    private readonly TaskPreparation _preparation = new(assigned, context);
    private readonly TaskBalance _balance = new(assigned, ContainerId.Of(assigned.Id), context);
    private readonly Watched<SwarmTask> _wish = new(assigned, (_, _) => true);
    private readonly CancellationTokenSource _ending = new();
    private SwarmTaskStatus _status = assigned.Status;
    private Sandbox? _sandbox;
    private Task _running = Task.CompletedTask;
    private TimeSpan _retry = s_firstRetry;
    private string? _waitsFor;

    // It ran, as far as the managers know: flows may be balanced to it.
    private bool _served;
    private TaskDrain? _drain;

    public SwarmTask Current => _wish.Value;
    public SwarmTaskStatus Status => Volatile.Read(ref _status);

    private bool IsWithdrawn => TaskWish.IsWithdrawn(_wish.Value);

    public void Start(CancellationToken stopping) => _running = Task.Run(
        async () =>
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, _ending.Token);
            await RunAsync(both.Token);
        },
        CancellationToken.None);

    public void Update(SwarmTask task) => _wish.TryPublish(task);

    public void Drained(DrainedTask word) => _balance.Told(word);

    /// <summary>Ends the runner; the container stays as it is.</summary>
    public async Task EndAsync()
    {
        await _ending.CancelAsync();
        await _running;
    }

    /// <summary>The task is no longer assigned: everything that it had goes away. May be repeated.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await context.Runtime.RemoveAsync(_containerId, force: true, cancellationToken);
        await context.Network.DetachAsync(_containerId, cancellationToken);
    }

    public void Dispose() => _ending.Dispose();

    private async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (!await DoAsync(AdoptAsync, stopping))
            {
            }

            while (true)
            {
                var wish = _wish.Value;
                var step = TaskLifecycle.Next(_status.State, wish.DesiredState);
                if (step == TaskStep.Nothing)
                {
                    if (_status.State >= TaskState.Complete)
                    {
                        return;
                    }

                    await _wish.WaitAsync(next => next != wish, stopping);
                    continue;
                }

                await DoAsync(cancellationToken => StepAsync(step, cancellationToken), stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // The daemon stops, or the task was taken away.
        }
        catch (Exception e)
        {
            // A fault of ours must end up where the user looks: at the task.
            context.Log.TaskBroke(e, assigned.Id);
            Report(_status.State < TaskState.Starting ? TaskState.Rejected : TaskState.Failed, "internal error", e.Message);
        }
    }

    /// <summary>A daemon that starts again finds what it left: the container says how far the task had come.</summary>
    private async Task AdoptAsync(CancellationToken stopping)
    {
        if (_status.State >= TaskState.Complete
            || context.Runtime.Containers.FirstOrDefault(c => c.Id == _containerId) is not { } container)
        {
            return;
        }

        if (container.State is ContainerState.Running or ContainerState.Paused)
        {
            // What was last reported of it is not known here.
            _served = true;
            if (IsWithdrawn)
            {
                Report(TaskState.Running, "started");
                return;
            }

            await TaskWish.UnlessWithdrawnAsync(_wish, async cancellationToken => _sandbox = await _preparation.AttachAsync(cancellationToken), stopping);
            var awaits = _status.State < TaskState.Running && ((container.Health is { } health && health.Status != "healthy") || _balance.Ports.Count > 0);
            Report(awaits ? TaskState.Starting : TaskState.Running, awaits ? "starting" : "started");
        }
        else if (container.State == ContainerState.Exited && container.StartedAt is not null)
        {
            await EndedAsync(container, stopping);
        }
        else
        {
            _status = _status with { State = TaskState.Accepted };
        }
    }

    private async Task StepAsync(TaskStep step, CancellationToken stopping)
    {
        switch (step)
        {
            case TaskStep.Accept: Report(TaskState.Accepted, "accepted"); break;
            case TaskStep.Prepare: await PrepareAsync(stopping); break;
            case TaskStep.Start: await StartAsync(stopping); break;
            case TaskStep.AwaitExit: await AwaitExitAsync(stopping); break;
            case TaskStep.Stop: await StopAsync(stopping); break;
        }
    }

    /// <summary>False when it has to be done again.</summary>
    private async Task<bool> DoAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        try
        {
            await work(stopping);
            (_retry, _waitsFor) = (s_firstRetry, null);
            return true;
        }
        catch (ClusterException e) when (e.Kind is ErrorKind.Unavailable or ErrorKind.DeadlineExceeded)
        {
            await RetryLaterAsync(e.Message, stopping);
            return false;
        }
        catch (Exception e) when (e is ClusterException or IOException)
        {
            await FailAsync(e, stopping);
            return true;
        }
    }

    /// <summary>Temporary by its kind: a child process is away, a registry does not answer. The state stays, the reason is shown.</summary>
    private async Task RetryLaterAsync(string reason, CancellationToken stopping)
    {
        if (_waitsFor != reason)
        {
            _waitsFor = reason;
            context.Log.TaskWaits(assigned.Id, reason);
            if (_status.State < TaskState.Running)
            {
                Report(_status.State, _status.Message, reason);
            }
        }

        var (wish, pause) = (_wish.Value, _retry);
        _retry = pause * 2 < s_longestRetry ? pause * 2 : s_longestRetry;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            // Another wish does not wait for the pause to be over.
            await _wish.WaitAsync(next => next != wish, over.Token).WaitAsync(pause, context.Clock, stopping);
        }
        catch (TimeoutException)
        {
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    private async Task PrepareAsync(CancellationToken stopping)
    {
        if (_status.State != TaskState.Preparing)
        {
            Report(TaskState.Preparing, "preparing");
        }

        if (!await TaskWish.UnlessWithdrawnAsync(_wish, async token => _sandbox = await _preparation.GatherAsync(token), stopping))
        {
            return;
        }

        await context.Runtime.CreateAsync(TaskRecipe.Container(assigned, context.Node(), _sandbox), stopping);
        Report(TaskState.Ready, "prepared");
    }

    private async Task StartAsync(CancellationToken stopping)
    {
        if (_status.State != TaskState.Starting)
        {
            Report(TaskState.Starting, "starting");
        }

        var container = await context.Runtime.StartAsync(_containerId, stopping);
        if (container.Health is not null)
        {
            container = await context.HealthyOrEndedAsync(_containerId, orUnhealthy: !_balance.KeepsUnhealthy, () => IsWithdrawn, _wish, stopping);
            if (IsWithdrawn)
            {
                return;
            }
        }

        if (container.State == ContainerState.Running && container.Health?.Status != "unhealthy" && _balance.Ports.Count > 0)
        {
            // No flow may come before somebody listens: until then it is starting.
            if (!await TaskWish.UnlessWithdrawnAsync(_wish, token => _balance.ListensAsync(missing => Report(TaskState.Starting, "starting", missing), token), stopping))
            {
                return;
            }

            container = context.Runtime.Find(_containerId);
        }

        if (container.State is ContainerState.Exited or ContainerState.Dead)
        {
            await EndedAsync(container, stopping);
        }
        else if (container.Health?.Status == "unhealthy")
        {
            await UnhealthyAsync(stopping);
        }
        else
        {
            Report(TaskState.Running, "started");
        }
    }

    /// <summary>Until the container ends, becomes unhealthy, or is no longer wished to run.</summary>
    private async Task AwaitExitAsync(CancellationToken stopping)
    {
        var container = await context.EndedOrUnhealthyAsync(_containerId, () => IsWithdrawn, _wish, stopping);
        if (container.State is ContainerState.Exited or ContainerState.Dead)
        {
            await EndedAsync(container, stopping);
        }
        else if (container.Health?.Status == "unhealthy" && !IsWithdrawn)
        {
            await UnhealthyAsync(stopping);
        }
    }

    /// <summary>Out of balancing at once; then the restart policy has its way, or it is waited for.</summary>
    private async Task UnhealthyAsync(CancellationToken stopping)
    {
        var isBalanced = _served && assigned.Attachments.Count > 0;
        if (isBalanced || _balance.KeepsUnhealthy)
        {
            context.Log.TaskUnhealthy(assigned.Id, assigned.Name);
            Report(TaskState.Running, "unhealthy", "unhealthy container gets no new flows", unhealthy: true);
        }

        if (_balance.KeepsUnhealthy)
        {
            await RecoverAsync(stopping);
            return;
        }

        if (isBalanced)
        {
            await DrainAsync(stopping: false, stopping);
        }

        await context.Runtime.StopAsync(_containerId, null, null, stopping);
        var container = context.Runtime.Find(_containerId);
        await DetachAsync(stopping);
        Report(TaskState.Failed, "started", $"task: non-zero exit ({container.ExitCode}): dockerexec: unhealthy container");
    }

    private async Task RecoverAsync(CancellationToken stopping)
    {
        var container = await context.RecoveredOrEndedAsync(_containerId, () => IsWithdrawn, _wish, stopping);
        if (container is { State: ContainerState.Running, Health.Status: "healthy" } && !IsWithdrawn)
        {
            _balance.Reset();
            Report(TaskState.Running, "started");
        }
    }

    private async Task StopAsync(CancellationToken stopping)
    {
        if (context.Runtime.Containers.FirstOrDefault(c => c.Id == _containerId) is { } container)
        {
            if (_served && _drain is null && assigned.Attachments.Count > 0 && container.State == ContainerState.Running)
            {
                await DrainAsync(stopping: true, stopping);
            }

            await context.Runtime.StopAsync(_containerId, null, null, stopping);
        }

        await DetachAsync(stopping);
        ReportShutdown();
    }

    /// <summary>Until nobody sends it anything new and its flows have ended, as long as that may take.</summary>
    private async Task DrainAsync(bool stopping, CancellationToken cancellationToken)
    {
        _drain = await _balance.DrainAsync(stopping, cancellationToken);
        if (_drain is not null)
        {
            context.Log.TaskDrained(assigned.Id, assigned.Name, _drain);
        }
    }

    private void ReportShutdown() => Report(TaskState.Shutdown, _drain is null ? "shutdown" : $"shutdown, {_drain}");

    private async Task EndedAsync(ContainerSnapshot container, CancellationToken stopping)
    {
        await DetachAsync(stopping);
        if (IsWithdrawn)
        {
            ReportShutdown();
        }
        else if (container.ExitCode == 0)
        {
            Report(TaskState.Complete, "finished");
        }
        else
        {
            Report(TaskState.Failed, "started", $"task: non-zero exit ({container.ExitCode})");
        }
    }

    private async Task FailAsync(Exception reason, CancellationToken stopping)
    {
        context.Log.TaskFailed(assigned.Id, assigned.Name, reason.Message);
        var state = _status.State < TaskState.Starting ? TaskState.Rejected : TaskState.Failed;
        if (context.Runtime.Containers.Any(c => c.Id == _containerId))
        {
            // What is called failed gets a successor; it must not run beside it.
            await context.Runtime.StopAsync(_containerId, null, null, stopping);
        }

        await DetachAsync(stopping);
        Report(state, state == TaskState.Rejected ? "preparing" : "starting", reason.Message);
    }

    /// <summary>A task that is over keeps its container for its log, but no place on any network.</summary>
    private async Task DetachAsync(CancellationToken stopping)
    {
        if (assigned.Attachments.Count > 0)
        {
            await _balance.LingerAsync(stopping);
        }

        await context.Network.DetachAsync(_containerId, stopping);
        _sandbox = null;
    }

    private void Report(TaskState state, string message, string? error = null, bool unhealthy = false)
    {
        _served |= state == TaskState.Running;
        var container = context.Runtime.Containers.FirstOrDefault(c => c.Id == _containerId);
        _status = new SwarmTaskStatus
        {
            // A running task says when its container started, so a daemon that takes it over tells nothing new.
            Timestamp = state == TaskState.Running && container?.StartedAt is { } started ? started : context.Clock.GetUtcNow(),
            State = state,
            Message = message,
            Err = error,
            Container = container is null ? null : new TaskContainerStatus { ContainerId = _containerId, Pid = container.Pid, ExitCode = container.ExitCode },
            Unhealthy = unhealthy ? true : null,
            Drain = state > TaskState.Running ? _drain : null,
            HostPorts = _sandbox?.HostPorts is { Count: > 0 } ports ? ports : null,
        };
        context.Report(assigned.Id, _status);
    }
}
