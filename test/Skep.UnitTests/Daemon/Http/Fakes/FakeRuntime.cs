using System.Collections.Concurrent;
using System.Threading.Channels;
using Skep.Agent.Logs;
using Skep.Agent.Runtime;
using Skep.Model.Errors;

namespace Skep.UnitTests.Daemon.Http.Fakes;

/// <summary>
/// Containers in memory. They run until they are told to end; a signal other than KILL and TERM does nothing. Execs are
/// <see cref="FakeExec"/>s: each takes its words as one of a few commands.
/// </summary>
internal sealed class FakeRuntime : IContainerRuntime
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<ContainerSnapshot>> _ends = new();
    private readonly ConcurrentDictionary<string, FakeExec> _execs = new();
    private readonly ConcurrentDictionary<string, FakeLog> _logs = new();
    private readonly ConcurrentDictionary<Channel<ContainerEvent>, bool> _followers = new();
    private readonly Lock _gate = new();

    public List<ContainerSnapshot> Existing { get; } = [];

    /// <summary>What was asked of it, in order: kill web TERM.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public IReadOnlyList<int> Processes { get; set; } = [Environment.ProcessId];

    public IReadOnlyCollection<ContainerSnapshot> Containers
    {
        get
        {
            lock (_gate)
            {
                return [.. Existing];
            }
        }
    }

    public static ContainerSnapshot Running(string id, string name, Func<ContainerRecipe, ContainerRecipe>? with = null)
    {
        var recipe = new ContainerRecipe { Id = id.PadRight(64, '0'), Name = name, Image = "busybox:latest" };
        recipe = with?.Invoke(recipe) ?? recipe;
        return new ContainerSnapshot(recipe)
        {
            State = ContainerState.Running,
            Pid = Environment.ProcessId,
            CreatedAt = DateTimeOffset.UtcNow.AddMinutes(-3),
            StartedAt = DateTimeOffset.UtcNow.AddMinutes(-3),
            ImageId = "sha256:" + new string('1', 64),
            CommandLine = ["sh", "-c", "echo started; exec sleep 10000"],
            Config = new EffectiveConfig { Labels = recipe.Labels, Hostname = recipe.Id[..12] },
        };
    }

    public void Happen(string id, string action)
    {
        foreach (var follower in _followers.Keys)
        {
            follower.Writer.TryWrite(new ContainerEvent(id, action, DateTimeOffset.UtcNow, new Dictionary<string, string>()));
        }
    }

    /// <summary>The container ends by itself.</summary>
    public void End(string id, int exitCode)
    {
        Change(id, c => c with { State = ContainerState.Exited, Pid = 0, ExitCode = exitCode, FinishedAt = DateTimeOffset.UtcNow });
        _ends.GetOrAdd(id, _ => new TaskCompletionSource<ContainerSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult(Find(id));
        ((FakeLog)Log(id)).End();
        Happen(id, "die");
    }

    public IAsyncEnumerable<ContainerEvent> FollowAsync(CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<ContainerEvent>();
        _followers[channel] = true;
        return channel.Reader.ReadAllAsync(cancellationToken);
    }

    public ContainerSnapshot Find(string reference)
    {
        var name = reference.TrimStart('/');
        return Containers.FirstOrDefault(c => c.Id == name || c.Recipe.Name == name)
            ?? Containers.SingleOrDefault(c => name.Length > 0 && c.Id.StartsWith(name, StringComparison.Ordinal))
            ?? throw new ClusterException(ErrorKind.NotFound, $"No such container: {reference}");
    }

    public Task<ContainerSnapshot> CreateAsync(ContainerRecipe recipe, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ContainerSnapshot> StartAsync(string id, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"start {Find(id).Recipe.Name}");
        _ends.TryRemove(id, out _);
        Change(id, c => c with { State = ContainerState.Running, Pid = Environment.ProcessId, StartedAt = DateTimeOffset.UtcNow });
        return Task.FromResult(Find(id));
    }

    public Task<ContainerSnapshot> WaitAsync(string id, CancellationToken cancellationToken) =>
        Find(id) is { State: ContainerState.Running }
            ? _ends.GetOrAdd(id, _ => new TaskCompletionSource<ContainerSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(cancellationToken)
            : Task.FromResult(Find(id));

    public Task StopAsync(string id, string? signal, TimeSpan? grace, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"stop {Find(id).Recipe.Name} {signal ?? "-"} {grace?.ToString() ?? "-"}");
        End(id, 143);
        return Task.CompletedTask;
    }

    public Task KillAsync(string id, string signal, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"kill {Find(id).Recipe.Name} {signal}");
        if (signal.EndsWith("KILL", StringComparison.Ordinal) || signal.EndsWith("TERM", StringComparison.Ordinal))
        {
            End(id, signal.EndsWith("KILL", StringComparison.Ordinal) ? 137 : 143);
        }

        return Task.CompletedTask;
    }

    public Task RemoveAsync(string id, bool force, CancellationToken cancellationToken)
    {
        var container = Find(id);
        if (container.State == ContainerState.Running)
        {
            if (!force)
            {
                throw new ClusterException(
                    ErrorKind.Conflict,
                    $"cannot remove container \"/{container.Recipe.Name}\": container is running: stop the container before removing or force remove");
            }

            End(id, 137);
        }

        lock (_gate)
        {
            Existing.RemoveAll(c => c.Id == id);
        }

        Happen(id, "destroy");
        return Task.CompletedTask;
    }

    public Task ResizeAsync(string id, uint width, uint height, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"resize {Find(id).Recipe.Name} {width}x{height}");
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<int>> ProcessesAsync(string id, CancellationToken cancellationToken) => Task.FromResult(Processes);

    public IExec CreateExec(string id, ExecRecipe recipe)
    {
        var container = Find(id);
        if (container.State != ContainerState.Running)
        {
            throw new ClusterException(ErrorKind.Conflict, $"container {container.Id} is not running");
        }

        var exec = new FakeExec(container.Id, recipe);
        _execs[exec.Id] = exec;
        return exec;
    }

    public IExec FindExec(string execId) =>
        _execs.GetValueOrDefault(execId) ?? throw new ClusterException(ErrorKind.NotFound, $"No such exec instance: {execId}");

    public IContainerLog Log(string id) => _logs.GetOrAdd(id, _ => new FakeLog());

    private void Change(string id, Func<ContainerSnapshot, ContainerSnapshot> change)
    {
        lock (_gate)
        {
            var index = Existing.FindIndex(c => c.Id == id);
            Existing[index] = change(Existing[index]);
        }
    }
}
