using System.Threading.Channels;
using Skep.Agent.Logs;
using Skep.Agent.Runtime;
using Skep.Model.Errors;

namespace Skep.Testing.Agent;

/// <summary>
/// Containers in memory that live and end as a test says. Steps can be held open or made to fail. Thread-safe; what the real
/// runtime refuses is refused here with the same words.
/// </summary>
public sealed class FakeRuntime : IContainerRuntime
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ContainerSnapshot> _containers = [];
    private readonly List<Channel<ContainerEvent>> _followers = [];
    private TaskCompletionSource _changed = NewSignal();

    public IReadOnlyCollection<ContainerSnapshot> Containers
    {
        get
        {
            lock (_gate)
            {
                return [.. _containers.Values];
            }
        }
    }

    /// <summary>Runs before a step (create, start, stop, remove) takes effect; it may wait or throw.</summary>
    public Func<string, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>The health that a started container begins with; null = it has no probe.</summary>
    public string? HealthAtStart { get; set; }

    /// <summary>The code with which a stopped container ends.</summary>
    public int StopCode { get; set; } = 143;

    /// <summary>Streams of events that are open.</summary>
    public int Followers
    {
        get
        {
            lock (_gate)
            {
                return _followers.Count;
            }
        }
    }

    /// <summary>Puts a container in place as one that was there before.</summary>
    public void Put(ContainerSnapshot container) => Change(container, "put");

    /// <summary>The container's process ends.</summary>
    public void End(string id, int exitCode) =>
        Change(Find(id) with { State = ContainerState.Exited, ExitCode = exitCode, Pid = 0, Health = null }, "die");

    public void BecomeHealth(string id, string status) =>
        Change(Find(id) with { Health = new ContainerHealth(status, 0, []) }, $"health_status: {status}");

    public async IAsyncEnumerable<ContainerEvent> FollowAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<ContainerEvent>();
        lock (_gate)
        {
            _followers.Add(channel);
        }

        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return happened;
            }
        }
        finally
        {
            lock (_gate)
            {
                _followers.Remove(channel);
            }
        }
    }

    public ContainerSnapshot Find(string reference)
    {
        lock (_gate)
        {
            return _containers.TryGetValue(reference, out var found)
                ? found
                : throw new ClusterException(ErrorKind.NotFound, $"No such container: {reference}");
        }
    }

    public async Task<ContainerSnapshot> CreateAsync(ContainerRecipe recipe, CancellationToken cancellationToken)
    {
        await Before("create", cancellationToken);
        lock (_gate)
        {
            if (_containers.TryGetValue(recipe.Id, out var present))
            {
                return present;
            }
        }

        return Change(new ContainerSnapshot(recipe) { State = ContainerState.Created }, "create");
    }

    public async Task<ContainerSnapshot> StartAsync(string id, CancellationToken cancellationToken)
    {
        await Before("start", cancellationToken);
        var container = Find(id);
        return container.State == ContainerState.Running
            ? container
            : Change(
                container with
                {
                    State = ContainerState.Running,
                    Pid = 4711,
                    StartedAt = DateTimeOffset.UnixEpoch,
                    Health = HealthAtStart is null ? null : new ContainerHealth(HealthAtStart, 0, []),
                },
                "start");
    }

    public async Task<ContainerSnapshot> WaitAsync(string id, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
            }

            if (Find(id) is { State: not (ContainerState.Running or ContainerState.Paused) } ended)
            {
                return ended;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    public async Task StopAsync(string id, string? signal, TimeSpan? grace, CancellationToken cancellationToken)
    {
        await Before("stop", cancellationToken);
        if (Find(id).State == ContainerState.Running)
        {
            End(id, StopCode);
        }
    }

    public Task KillAsync(string id, string signal, CancellationToken cancellationToken) => StopAsync(id, signal, null, cancellationToken);

    public async Task RemoveAsync(string id, bool force, CancellationToken cancellationToken)
    {
        await Before("remove", cancellationToken);
        lock (_gate)
        {
            if (_containers.Remove(id))
            {
                Signal();
            }
        }
    }

    public Task ResizeAsync(string id, uint width, uint height, CancellationToken cancellationToken) => throw Refusal();

    public Task<IReadOnlyList<int>> ProcessesAsync(string id, CancellationToken cancellationToken) => throw Refusal();

    public IExec CreateExec(string id, ExecRecipe recipe) => throw Refusal();

    public IExec FindExec(string execId) => throw new ClusterException(ErrorKind.NotFound, $"No such exec instance: {execId}");

    public IContainerLog Log(string id)
    {
        _ = Find(id);
        return new DiscardedLog();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static ClusterException Refusal() => new(ErrorKind.NotImplemented, "this runtime has no processes");

    private ContainerSnapshot Change(ContainerSnapshot container, string action)
    {
        lock (_gate)
        {
            _containers[container.Id] = container;
            foreach (var follower in _followers)
            {
                follower.Writer.TryWrite(new ContainerEvent(container.Id, action, DateTimeOffset.UnixEpoch, new Dictionary<string, string>()));
            }

            Signal();
            return container;
        }
    }

    private void Signal()
    {
        _changed.TrySetResult();
        _changed = NewSignal();
    }
}
