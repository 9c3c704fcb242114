using System.Text.Json;
using Skep.Model.Errors;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Runtime;

/// <summary>Brings together what the folders say, what containerd has and what runs, when a daemon starts.</summary>
internal sealed class Adoption(RuntimeParts parts, ContainerLife life)
{
    public async Task<IReadOnlyList<Container>> RunAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(parts.ContainersRoot, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(parts.FifoRoot, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var known = await parts.Client.ListContainersAsync(cancellationToken);
        var tasks = (await parts.Client.ListTasksAsync(cancellationToken)).ToDictionary(TaskId, StringComparer.Ordinal);
        var result = new List<Container>();
        foreach (var folder in Directory.EnumerateDirectories(parts.ContainersRoot))
        {
            if (Read(folder) is not { } record)
            {
                continue;
            }

            // A container that was not wholly made, or whose machine lost it before it ever ran, is made again by whoever wants it.
            if (record.Snapshot.State == ContainerState.Created && !known.Contains(record.Snapshot.Id))
            {
                continue;
            }

            var container = new Container(parts, record);
            await AdoptAsync(container, tasks.GetValueOrDefault(container.Id));
            result.Add(container);
        }

        var kept = result.Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        var folders = Directory.EnumerateDirectories(parts.ContainersRoot).Select(f => Path.GetFileName(f)!);
        foreach (var id in known.Union(folders).Where(id => !kept.Contains(id)))
        {
            await ClearAsync(id, tasks.ContainsKey(id), cancellationToken);
        }

        return result;
    }

    /// <summary>containerd names a task by its container in one place and by its own id in another.</summary>
    public static string TaskId(ContainerProcess task) => task.ContainerId.Length > 0 ? task.ContainerId : task.Id;

    private async Task AdoptAsync(Container container, ContainerProcess? task)
    {
        var alive = task is { Status: ProcessStatus.Running or ProcessStatus.Paused or ProcessStatus.Pausing };
        if (container.IsRunning || alive)
        {
            life.Adopt(container, task);
            if (!alive)
            {
                await container.Run!.Ended;
            }
        }
        else if (task is not null)
        {
            // Begun and not started, or ended and not let go of.
            await parts.Client.KillAsync(container.Id, "", Signals.Kill, true, CancellationToken.None);
            await parts.Client.DeleteTaskAsync(container.Id, CancellationToken.None);
        }

        if (container.Snapshot.State == ContainerState.Created)
        {
            container.Output?.Open();
        }
    }

    private ContainerRecord? Read(string folder)
    {
        try
        {
            return new ContainerFolder(parts.ContainersRoot, Path.GetFileName(folder)).Read();
        }
        catch (Exception error) when (error is JsonException or IOException or NotSupportedException)
        {
            parts.Logger.StateUnreadable(folder, error.Message);
            return null;
        }
    }

    private async Task ClearAsync(string id, bool hasTask, CancellationToken cancellationToken)
    {
        try
        {
            if (hasTask)
            {
                await parts.Client.KillAsync(id, "", Signals.Kill, true, cancellationToken);
                await parts.Client.DeleteTaskAsync(id, cancellationToken);
            }

            await parts.Client.DeleteContainerAsync(id, cancellationToken);
            await parts.Client.RemoveSnapshotAsync(id, cancellationToken);
            new ContainerFolder(parts.ContainersRoot, id).Delete();
            parts.Logger.LeftoverRemoved(id);
        }
        catch (Exception error) when (error is RpcException or ClusterException or IOException)
        {
            parts.Logger.NotCleaned(id, error.Message);
        }
    }
}
