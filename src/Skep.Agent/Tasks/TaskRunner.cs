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
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(1);

    private readonly string _containerId = ContainerId.Of(assigned.Id);
    private readonly Watched<SwarmTask> _wish = new(assigned, (_, _) => true);
    private readonly CancellationTokenSource _ending = new();
    private SwarmTaskStatus _status = assigned.Status;
    private Sandbox? _sandbox;
    private Task _running = Task.CompletedTask;

    public SwarmTask Current => _wish.Value;
    public SwarmTaskStatus Status => Volatile.Read(ref _status);

    public void Start(CancellationToken stopping)
    {
        var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, _ending.Token);
        _running = Task.Run(() => RunAsync(both.Token), CancellationToken.None);
    }

    public void Update(SwarmTask task) => _wish.TryPublish(task);

    /// <summary>The task is no longer assigned: everything that it had goes away.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await _ending.CancelAsync();
        await _running;
        await context.Runtime.RemoveAsync(_containerId, force: true, cancellationToken);
        await context.Network.DetachAsync(_containerId, cancellationToken);
        Dispose();
    }

    public void Dispose() => _ending.Dispose();

    private async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await AdoptAsync(stopping);
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

                await DoAsync(step, wish, stopping);
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
            _sandbox = await AttachAsync(stopping);
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

    private async Task DoAsync(TaskStep step, SwarmTask wish, CancellationToken stopping)
    {
        try
        {
            switch (step)
            {
                case TaskStep.Accept: Report(TaskState.Accepted, "accepted"); break;
                case TaskStep.Prepare: await PrepareAsync(stopping); break;
                case TaskStep.Start: await StartAsync(wish, stopping); break;
                case TaskStep.AwaitExit: await AwaitExitAsync(stopping); break;
                case TaskStep.Stop: await StopAsync(stopping); break;
            }
        }
        catch (ClusterException e) when (e.Kind is ErrorKind.Unavailable or ErrorKind.DeadlineExceeded && _status.State < TaskState.Running)
        {
            // Temporary by its kind: a child process is away, a registry does not answer. The state stays, the reason is shown.
            context.Log.TaskWaits(assigned.Id, e.Message);
            Report(_status.State, _status.Message, e.Message);
            await Task.Delay(s_retryAfter, context.Clock, stopping);
        }
        catch (Exception e) when (e is ClusterException or IOException)
        {
            await FailAsync(e, stopping);
        }
    }

    private async Task PrepareAsync(CancellationToken stopping)
    {
        Report(TaskState.Preparing, "preparing");
        var image = EnsureImageAsync(stopping);
        _sandbox = await AttachAsync(stopping);
        await image;
        await context.Runtime.CreateAsync(TaskRecipe.Container(assigned, context.Node(), _sandbox), stopping);
        Report(TaskState.Ready, "prepared");
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

    private async Task StartAsync(SwarmTask wish, CancellationToken stopping)
    {
        Report(TaskState.Starting, "starting");
        var container = await context.Runtime.StartAsync(_containerId, stopping);
        if (container.Health is not null)
        {
            container = await context.HealthyOrEndedAsync(_containerId, () => _wish.Value.DesiredState > TaskState.Running, _wish, stopping);
            if (_wish.Value.DesiredState > TaskState.Running)
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
        var container = await context.EndedOrUnhealthyAsync(_containerId, () => _wish.Value.DesiredState > TaskState.Running, _wish, stopping);
        if (container.State is ContainerState.Exited or ContainerState.Dead)
        {
            await EndedAsync(container, stopping);
        }
        else if (container.Health?.Status == "unhealthy" && _wish.Value.DesiredState <= TaskState.Running)
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
        if (_wish.Value.DesiredState > TaskState.Running)
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
