using System.Globalization;
using Skep.Agent.Logs;
using Skep.Agent.Runtime.Spec;
using Skep.Model.Errors;

namespace Skep.Agent.Runtime;

/// <summary>
/// One container: its snapshot, swapped whole at every change, and what belongs to it on this machine. Start, stop and removal
/// take turns by <see cref="Gate"/>; readers never wait.
/// </summary>
internal sealed class Container
{
    private readonly RuntimeParts _parts;
    private readonly Lock _lock = new();
    private volatile ContainerSnapshot _snapshot;
    private Task _saving = Task.CompletedTask;
    private bool _removed;

    public Container(RuntimeParts parts, ContainerRecord record)
    {
        _parts = parts;
        _snapshot = record.Snapshot;
        Process = record.Process;
        AnonymousVolumes = record.AnonymousVolumes;
        Folder = new ContainerFolder(parts.ContainersRoot, record.Snapshot.Id);
        var options = LogOptions.Parse(record.Snapshot.Recipe.LogDriver);
        Output = options.Kept ? new JsonFileLog(Folder.LogPath, options, parts.Clock, parts.Logger) : null;
    }

    public ContainerSnapshot Snapshot => _snapshot;
    public string Id => _snapshot.Id;
    public ContainerRecipe Recipe => _snapshot.Recipe;
    public ProcessSettings Process { get; }
    public IReadOnlyList<string> AnonymousVolumes { get; }
    public ContainerFolder Folder { get; }

    /// <summary>Null when the log driver keeps nothing.</summary>
    public JsonFileLog? Output { get; }

    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>The present or last run; null when it never ran here.</summary>
    public ContainerRun? Run { get; set; }

    /// <summary>Where the snapshot's layers are, while that is known from its making.</summary>
    public IReadOnlyList<Protocol.Containerd.Mount>? RootMounts { get; set; }

    public bool IsRunning => _snapshot.State is ContainerState.Running or ContainerState.Paused;

    public ContainerRecord Record => new(_snapshot, Process, AnonymousVolumes);

    /// <summary>Puts a new snapshot in place and has it written down in the background.</summary>
    public ContainerSnapshot Update(Func<ContainerSnapshot, ContainerSnapshot> change, bool save = true)
    {
        lock (_lock)
        {
            var next = change(_snapshot);
            _snapshot = next;
            if (save && !_removed)
            {
                // One write follows the other; each takes the newest snapshot when its turn comes.
                _saving = _saving.ContinueWith(_ => Save(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }

            return next;
        }
    }

    /// <summary>Every change so far is on the disk.</summary>
    public Task SavedAsync()
    {
        lock (_lock)
        {
            return _saving;
        }
    }

    /// <summary>Nothing is written any more.</summary>
    public Task ForgetAsync()
    {
        lock (_lock)
        {
            _removed = true;
            return _saving;
        }
    }

    public void Publish(string action, params ReadOnlySpan<(string Key, string Value)> more)
    {
        var attributes = new Dictionary<string, string>(_snapshot.Config.Labels, StringComparer.Ordinal)
        {
            ["image"] = Recipe.Image,
            ["name"] = Recipe.Name,
        };
        foreach (var (key, value) in more)
        {
            attributes[key] = value;
        }

        _parts.Events.Publish(new ContainerEvent(Id, action, _parts.Clock.GetUtcNow(), attributes));
    }

    public ClusterException NotRunning() =>
        new(ErrorKind.Conflict, string.Create(CultureInfo.InvariantCulture, $"container {Id} is not running"));

    private void Save()
    {
        try
        {
            if (!_removed)
            {
                Folder.Write(Record);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _parts.Logger.StateNotWritten(Id, error.Message);
        }
    }
}
