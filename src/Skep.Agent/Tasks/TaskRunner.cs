using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.States;
using Skep.Network;

namespace Skep.Agent.Tasks;

/// <summary>Takes one task through its life. One step at a time; after each the wish is read again.</summary>
internal sealed class TaskRunner(SwarmTask assigned, TaskContext context) : IDisposable
{
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRetry = TimeSpan.FromSeconds(8);

    private readonly string _containerId = ContainerId.Of(assigned.Id);
    private readonly Watched<SwarmTask> _wish = new(assigned, (_, _) => true);
    private readonly CancellationTokenSource _ending = new();
    private SwarmTaskStatus _status = assigned.Status;
    private Sandbox? _sandbox;
    private Task _running = Task.CompletedTask;
    private TimeSpan _retry = s_firstRetry;
    private string? _waitsFor;

    public SwarmTask Current => _wish.Value;
    public SwarmTaskStatus Status => Volatile.Read(ref _status);

    private bool IsWithdrawn => Withdrawn(_wish.Value);

    public void Start(CancellationToken stopping) => _running = Task.Run(
        async () =>
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, _ending.Token);
            await RunAsync(both.Token);
        },
        CancellationToken.None);

    public void Update(SwarmTask task) => _wish.TryPublish(task);

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
            if (IsWithdrawn)
            {
                Report(TaskState.Running, "started");
                return;
            }

            await UnlessWithdrawnAsync(async cancellationToken => _sandbox = await AttachAsync(cancellationToken), stopping);
            var awaitsHealth = container.Health is { } health && health.Status != "healthy" && _status.State < TaskState.Running;
            Report(awaitsHealth ? TaskState.Starting : TaskState.Running, awaitsHealth ? "starting" : "started");
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

    /// <summary>Runs what may take long and is of no use to a task that is to end. Returns early when the wish is withdrawn.</summary>
    /// <returns>False when it was cut short.</returns>
    private async Task<bool> UnlessWithdrawnAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var withdrawn = CutAsync(cut);
        try
        {
            await work(cut.Token);
            return true;
        }
        catch (Exception) when (IsWithdrawn && cut.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            await cut.CancelAsync();
            await withdrawn;
        }
    }

    private async Task CutAsync(CancellationTokenSource cut)
    {
        try
        {
            await _wish.WaitAsync(Withdrawn, cut.Token);
            await cut.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // The work has ended before.
        }
    }

    private static bool Withdrawn(SwarmTask wish) => wish.DesiredState >= TaskState.Shutdown;

    private async Task PrepareAsync(CancellationToken stopping)
    {
        if (_status.State != TaskState.Preparing)
        {
            Report(TaskState.Preparing, "preparing");
        }

        if (!await UnlessWithdrawnAsync(GatherAsync, stopping))
        {
            return;
        }

        await context.Runtime.CreateAsync(TaskRecipe.Container(assigned, context.Node(), _sandbox), stopping);
        Report(TaskState.Ready, "prepared");
    }

    /// <summary>Image and network at the same time; when one of them fails, the other is not waited for.</summary>
    private async Task GatherAsync(CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var image = EnsureImageAsync(both.Token);
        var place = AttachAsync(both.Token);
        var first = await Task.WhenAny(image, place);
        if (!first.IsCompletedSuccessfully)
        {
            await both.CancelAsync();
            await Task.WhenAll(image, place).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            await first;
        }

        await image;
        _sandbox = await place;
    }

    /// <summary>
    /// An image that is here is used as it is: a tag is pinned to a digest when the service is made, so all nodes run the same,
    /// and a node can start what it has while the registry is away.
    /// </summary>
    private async Task EnsureImageAsync(CancellationToken stopping)
    {
        var reference = assigned.Spec.ContainerSpec?.Image ?? "";
        if (await context.Images.FindAsync(reference, stopping) is null)
        {
            await context.Images.PullAsync(reference, RegistryCredentials.FromHeader(assigned.Spec.ContainerSpec?.PullOptions?.RegistryAuth), progress: null, stopping);
        }
    }

    private async Task<Sandbox> AttachAsync(CancellationToken stopping)
    {
        var plan = context.Plan;
        var request = TaskRecipe.Sandbox(assigned, plan.Value.Plan);
        if (request is null)
        {
            var known = await plan.WaitAsync(set => TaskRecipe.Sandbox(assigned, set.Plan) is not null, stopping);
            request = TaskRecipe.Sandbox(assigned, known.Plan)!;
        }

        return await context.Network.AttachAsync(request, stopping);
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
            container = await context.HealthyOrEndedAsync(_containerId, () => IsWithdrawn, _wish, stopping);
            if (IsWithdrawn)
            {
                return;
            }
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

    private async Task UnhealthyAsync(CancellationToken stopping)
    {
        await context.Runtime.StopAsync(_containerId, null, null, stopping);
        var container = context.Runtime.Find(_containerId);
        await DetachAsync(stopping);
        Report(TaskState.Failed, "started", $"task: non-zero exit ({container.ExitCode}): dockerexec: unhealthy container");
    }

    private async Task StopAsync(CancellationToken stopping)
    {
        if (context.Runtime.Containers.Any(c => c.Id == _containerId))
        {
            await context.Runtime.StopAsync(_containerId, null, null, stopping);
        }

        await DetachAsync(stopping);
        Report(TaskState.Shutdown, "shutdown");
    }

    private async Task EndedAsync(ContainerSnapshot container, CancellationToken stopping)
    {
        await DetachAsync(stopping);
        if (IsWithdrawn)
        {
            Report(TaskState.Shutdown, "shutdown");
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
        await context.Network.DetachAsync(_containerId, stopping);
        _sandbox = null;
    }

    private void Report(TaskState state, string message, string? error = null)
    {
        var container = context.Runtime.Containers.FirstOrDefault(c => c.Id == _containerId);
        _status = new SwarmTaskStatus
        {
            // A running task says when its container started, so a daemon that takes it over tells nothing new.
            Timestamp = state == TaskState.Running && container?.StartedAt is { } started ? started : context.Clock.GetUtcNow(),
            State = state,
            Message = message,
            Err = error,
            Container = container is null ? null : new TaskContainerStatus { ContainerId = _containerId, Pid = container.Pid, ExitCode = container.ExitCode },
            HostPorts = _sandbox?.HostPorts is { Count: > 0 } ports ? ports : null,
        };
        context.Report(assigned.Id, _status);
    }
}
