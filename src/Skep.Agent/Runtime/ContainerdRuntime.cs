using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Skep.Agent.Images;
using Skep.Agent.Logs;
using Skep.Agent.Runtime.Health;
using Skep.Agent.Runtime.Stdio;
using Skep.Agent.Volumes;
using Skep.Model.Errors;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Runtime;

/// <summary>
/// Containers by containerd's own API. A container's process belongs to its shim and neither to this daemon nor to containerd:
/// both may go away and come back. Open with <see cref="OpenAsync"/>; disposing leaves every container as it is.
/// </summary>
public sealed partial class ContainerdRuntime : IContainerRuntime, IAsyncDisposable
{
    private readonly RuntimeParts _parts;
    private readonly IImageStore _images;
    private readonly ContainerMaker _maker;
    private readonly ContainerLife _life;
    private readonly ConcurrentDictionary<string, Container> _containers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Exec> _execs = new(StringComparer.Ordinal);
    private Task _listening = Task.CompletedTask;

    private ContainerdRuntime(RuntimeParts parts, IImageStore images)
    {
        _parts = parts;
        _images = images;
        _maker = new ContainerMaker(parts);
        var health = new HealthMonitor(parts, (container, recipe) => Register(new Exec(parts, container, recipe, announce: false)));
        _life = new ContainerLife(parts, health.WatchAsync);
    }

    public IReadOnlyCollection<ContainerSnapshot> Containers => [.. _containers.Values.Select(c => c.Snapshot)];

    /// <summary>containerd's own version.</summary>
    public Task<string> VersionAsync(CancellationToken cancellationToken) => _parts.Client.VersionAsync(cancellationToken);

    /// <summary>Waits for containerd, finds again what is there, and then listens. It ends, with its reason, only when disposed.</summary>
    public static async Task<ContainerdRuntime> OpenAsync(
        RuntimeOptions options, IImageStore images, VolumeStore volumes, TimeProvider clock, ILogger<ContainerdRuntime> logger, CancellationToken cancellationToken)
    {
        var parts = new RuntimeParts(options, new ContainerdClient(options, clock, logger), new FifoReactor(), volumes, clock, logger);
        var runtime = new ContainerdRuntime(parts, images);
        try
        {
            foreach (var container in await new Adoption(parts, runtime._life).RunAsync(cancellationToken))
            {
                runtime._containers[container.Id] = container;
                runtime._names[container.Recipe.Name] = container.Id;
            }

            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            runtime._listening = Task.Run(
                () => new ContainerdEvents(parts).RunAsync(
                    runtime.Take,
                    async token =>
                    {
                        await runtime.ResyncAsync(token);
                        ready.TrySetResult();
                    },
                    parts.Closing.Token),
                CancellationToken.None);
            await ready.Task.WaitAsync(cancellationToken);
            return runtime;
        }
        catch
        {
            await runtime.DisposeAsync();
            throw;
        }
    }

    public IAsyncEnumerable<ContainerEvent> FollowAsync(CancellationToken cancellationToken) => _parts.Events.FollowAsync(cancellationToken);

    public ContainerSnapshot Find(string reference) => Get(reference).Snapshot;

    public async Task<ContainerSnapshot> CreateAsync(ContainerRecipe recipe, CancellationToken cancellationToken)
    {
        if (_containers.TryGetValue(recipe.Id, out var there))
        {
            return there.Snapshot;
        }

        if (!NamePattern().IsMatch(recipe.Name))
        {
            throw ClusterException.Invalid($"Invalid container name ({recipe.Name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
        }

        var image = await _images.FindAsync(recipe.Image, cancellationToken)
            ?? throw new ClusterException(ErrorKind.NotFound, $"No such image: {recipe.Image}");
        if (!_names.TryAdd(recipe.Name, recipe.Id))
        {
            throw new ClusterException(
                ErrorKind.Conflict,
                $"Conflict. The container name \"/{recipe.Name}\" is already in use by container \"{_names[recipe.Name]}\". You have to remove (or rename) that container to be able to reuse that name.");
        }

        try
        {
            var container = await _maker.MakeAsync(recipe, image, cancellationToken);
            _containers[recipe.Id] = container;
            container.Publish("create");
            return container.Snapshot;
        }
        catch
        {
            _names.TryRemove(recipe.Name, out _);
            throw;
        }
    }

    public async Task<ContainerSnapshot> StartAsync(string id, CancellationToken cancellationToken)
    {
        var container = Get(id);
        await _life.StartAsync(container, cancellationToken);
        return container.Snapshot;
    }

    public async Task<ContainerSnapshot> WaitAsync(string id, CancellationToken cancellationToken)
    {
        var container = Get(id);
        while (container.IsRunning && container.Run is { } run)
        {
            await run.Ended.WaitAsync(cancellationToken);
        }

        return container.Snapshot;
    }

    public async Task StopAsync(string id, string? signal, TimeSpan? grace, CancellationToken cancellationToken)
    {
        var container = Get(id);
        if (!container.IsRunning || container.Run is not { } run)
        {
            return;
        }

        var chosen = signal is { Length: > 0 } ? signal : container.Snapshot.Config.StopSignal is { Length: > 0 } own ? own : "SIGTERM";
        await SignalAsync(container, Signals.Parse(chosen), cancellationToken);
        try
        {
            await run.Exit.WaitAsync(grace ?? container.Recipe.StopGracePeriod, _parts.Clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            await SignalAsync(container, Signals.Kill, cancellationToken);
        }

        await run.Ended.WaitAsync(cancellationToken);
        container.Publish("stop");
    }

    public async Task KillAsync(string id, string signal, CancellationToken cancellationToken)
    {
        var number = Signals.Parse(signal is { Length: > 0 } ? signal : "SIGKILL");
        var container = Get(id);
        if (!container.IsRunning || !await SignalAsync(container, number, cancellationToken))
        {
            throw container.NotRunning();
        }
    }

    public async Task RemoveAsync(string id, bool force, CancellationToken cancellationToken)
    {
        if (TryGet(id) is not { } container)
        {
            return;
        }

        await container.Gate.WaitAsync(cancellationToken);
        try
        {
            if (!_containers.ContainsKey(container.Id))
            {
                return;
            }

            if (container.IsRunning && !force)
            {
                throw new ClusterException(
                    ErrorKind.Conflict,
                    $"cannot remove container \"/{container.Recipe.Name}\": container is running: stop the container before removing or force remove");
            }

            if (container.Run is { } run)
            {
                if (container.IsRunning)
                {
                    await SignalAsync(container, Signals.Kill, cancellationToken);
                }

                await run.Ended.WaitAsync(cancellationToken);
                await run.Cleaned.WaitAsync(cancellationToken);
            }

            await DropAsync(container, cancellationToken);
        }
        catch (RpcException error)
        {
            throw new ClusterException(ErrorKind.Internal, $"cannot remove container \"/{container.Recipe.Name}\": {error.Message}", error);
        }
        finally
        {
            container.Gate.Release();
        }
    }

    public async Task ResizeAsync(string id, uint width, uint height, CancellationToken cancellationToken)
    {
        var container = Get(id);
        if (!container.IsRunning)
        {
            throw container.NotRunning();
        }

        await _parts.Client.ResizeAsync(container.Id, "", width, height, cancellationToken);
    }

    public async Task<IReadOnlyList<int>> ProcessesAsync(string id, CancellationToken cancellationToken)
    {
        var container = Get(id);
        return container.IsRunning ? await _parts.Client.PidsAsync(container.Id, cancellationToken) : throw container.NotRunning();
    }

    public IExec CreateExec(string id, ExecRecipe recipe)
    {
        var container = Get(id);
        if (recipe.Command.Count == 0)
        {
            throw ClusterException.Invalid("No exec command specified");
        }

        if (!container.IsRunning)
        {
            throw container.NotRunning();
        }

        var exec = Register(new Exec(_parts, container, recipe, announce: true));
        container.Publish("exec_create: " + string.Join(' ', recipe.Command), ("execID", exec.Id));
        return exec;
    }

    public IExec FindExec(string execId) => _execs.TryGetValue(execId, out var exec)
        ? exec
        : throw new ClusterException(ErrorKind.NotFound, $"No such exec instance: {execId}");

    public IContainerLog Log(string id) => (IContainerLog?)Get(id).Output ?? new DiscardedLog();

    public async ValueTask DisposeAsync()
    {
        await _parts.Closing.CancelAsync();
        await _listening;
        foreach (var container in _containers.Values)
        {
            if (container.Run is { } run)
            {
                await run.HealthStop.CancelAsync();
            }

            await container.SavedAsync();
        }

        _parts.Reactor.Dispose();
        foreach (var container in _containers.Values)
        {
            container.Output?.Dispose();
        }

        _parts.Events.Complete();
        await _parts.Client.DisposeAsync();
    }

    private Container Get(string reference) => TryGet(reference) ?? throw new ClusterException(ErrorKind.NotFound, $"No such container: {reference}");

    private Container? TryGet(string reference)
    {
        var name = reference.TrimStart('/');
        if (_containers.TryGetValue(name, out var container) || (_names.TryGetValue(name, out var id) && _containers.TryGetValue(id, out container)))
        {
            return container;
        }

        if (name.Length == 0)
        {
            return null;
        }

        var matches = _containers.Values.Where(c => c.Id.StartsWith(name, StringComparison.Ordinal)).Take(2).ToList();
        return matches.Count > 1
            ? throw ClusterException.Invalid($"multiple IDs found with provided prefix: {reference}")
            : matches.SingleOrDefault();
    }

    private async Task<bool> SignalAsync(Container container, int signal, CancellationToken cancellationToken)
    {
        try
        {
            var alive = await _parts.Client.KillAsync(container.Id, "", signal, false, cancellationToken);
            if (alive)
            {
                container.Publish("kill", ("signal", signal.ToString(CultureInfo.InvariantCulture)));
            }

            return alive;
        }
        catch (RpcException error)
        {
            throw new ClusterException(ErrorKind.Internal, $"cannot kill container {container.Id}: {error.Message}", error);
        }
    }

    private async Task DropAsync(Container container, CancellationToken cancellationToken)
    {
        await Task.WhenAll(
            _parts.Client.DeleteContainerAsync(container.Id, cancellationToken),
            _parts.Client.RemoveSnapshotAsync(container.Id, cancellationToken),
            container.ForgetAsync());
        container.Output?.Dispose();
        container.Folder.Delete();
        var fifos = Path.Combine(_parts.FifoRoot, container.Id);
        if (Directory.Exists(fifos))
        {
            Directory.Delete(fifos, recursive: true);
        }

        foreach (var volume in container.AnonymousVolumes)
        {
            _parts.Volumes.Remove(volume);
        }

        _containers.TryRemove(container.Id, out _);
        _names.TryRemove(container.Recipe.Name, out _);
        foreach (var exec in _execs.Values.Where(e => e.ContainerId == container.Id))
        {
            _execs.TryRemove(exec.Id, out _);
        }

        container.Publish("destroy");
    }

    private Exec Register(Exec exec)
    {
        // Ended ones are kept for a while, because clients ask for the exit code after the streams have ended.
        var cutoff = _parts.Clock.GetUtcNow() - TimeSpan.FromMinutes(5);
        foreach (var old in _execs.Values.Where(e => e.ExitCode is not null && e.EndedAt < cutoff))
        {
            _execs.TryRemove(old.Id, out _);
        }

        _execs[exec.Id] = exec;
        return exec;
    }

    private void Take(Any happened, DateTimeOffset at)
    {
        if (happened.TypeUrl.EndsWith("TaskExit", StringComparison.Ordinal))
        {
            var end = TaskExitEvent.Parser.ParseFrom(happened.Value);
            var exit = new ProcessExit((int)end.ExitStatus, end.ExitedAt is null ? at : _life.Time(end.ExitedAt));
            if (end.Id != end.ContainerId)
            {
                _execs.GetValueOrDefault(end.Id)?.SetExit(exit);
            }
            else if (_containers.GetValueOrDefault(end.ContainerId)?.Run is { } run)
            {
                run.SetExit(exit);
            }
        }
        else if (happened.TypeUrl.EndsWith("TaskOOM", StringComparison.Ordinal)
            && _containers.GetValueOrDefault(TaskOomEvent.Parser.ParseFrom(happened.Value).ContainerId) is { } container)
        {
            container.Update(s => s with { OomKilled = true });
            container.Publish("oom");
        }
    }

    /// <summary>Finds the ends that were missed.</summary>
    private async Task ResyncAsync(CancellationToken cancellationToken)
    {
        var running = _containers.Values.Where(c => c.IsRunning).ToList();
        var tasks = (await _parts.Client.ListTasksAsync(cancellationToken)).ToDictionary(Adoption.TaskId, StringComparer.Ordinal);
        foreach (var container in running)
        {
            var task = tasks.GetValueOrDefault(container.Id);
            if (task is null or { Status: ProcessStatus.Stopped })
            {
                container.Run?.SetExit(_life.ExitOf(task));
            }
        }

        foreach (var exec in _execs.Values.Where(e => e.Running && e.Pid > 0))
        {
            var process = await _parts.Client.GetAsync(exec.ContainerId, exec.Id, cancellationToken);
            if (process is null or { Status: ProcessStatus.Stopped })
            {
                exec.SetExit(_life.ExitOf(process));
            }
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]+$")]
    private static partial Regex NamePattern();
}
