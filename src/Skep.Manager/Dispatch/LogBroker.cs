using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Skep.Manager.Certificates;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.States;
using Skep.Protocol.Node;

namespace Skep.Manager.Dispatch;

/// <summary>Fetches logs: asks each node that has a task of the query, and puts what they publish into one stream.</summary>
public sealed class LogBroker(IClusterStore store, Dispatcher dispatcher) : IServiceLogs
{
    private readonly ConcurrentDictionary<string, LogReading> _requests = new();

    public async IAsyncEnumerable<ServiceLogMessage> ReadAsync(
        ServiceLogQuery query,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reading = new LogReading(query);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = Task.CompletedTask;
        var view = store.Current;
        if (query.Follow)
        {
            (view, var commits) = store.SnapshotAndFollow();
            following = FollowAsync(reading, commits, ending.Token);
        }

        foreach (var node in TasksOf(view, query).GroupBy(t => t.NodeId))
        {
            Ask(reading, node.Key, node, view);
        }

        reading.EndWhenIdle(!query.Follow);
        try
        {
            await foreach (var message in reading.Messages.ReadAllAsync(ending.Token))
            {
                yield return message;
            }

            if (reading.Problems.Count > 0)
            {
                yield return new ServiceLogMessage("", "", "", default, 0, default)
                {
                    Problem = "incomplete log stream. some logs could not be retrieved for the following reasons: "
                        + string.Join(", ", reading.Problems),
                };
            }
        }
        finally
        {
            await ending.CancelAsync();
            foreach (var (requestId, nodeId) in reading.Open)
            {
                _requests.TryRemove(requestId, out _);
                dispatcher.TrySend(nodeId, new ManagerMessage { Logs = new LogRequest { RequestId = requestId, Cancel = true } });
            }

            await following;
        }
    }

    /// <summary>A node's answer to one request.</summary>
    public async Task<PublishResponse> PublishAsync(IAsyncEnumerable<LogRecords> batches, PeerIdentity peer, CancellationToken cancellationToken)
    {
        string? requestId = null;
        try
        {
            await foreach (var batch in batches.WithCancellation(cancellationToken))
            {
                requestId ??= batch.RequestId;
                if (!_requests.TryGetValue(requestId, out var reading) || reading.NodeOf(requestId) != peer.NodeId)
                {
                    throw new ClusterException(ErrorKind.NotFound, $"nobody reads log request {requestId}");
                }

                await reading.TakeAsync(batch, peer.NodeId, cancellationToken);
            }
        }
        finally
        {
            if (requestId is not null && _requests.TryRemove(requestId, out var reading))
            {
                reading.Done(requestId);
            }
        }

        return new PublishResponse();
    }

    private static IEnumerable<SwarmTask> TasksOf(StoreView view, ServiceLogQuery query) =>
        query.TaskId is { } taskId
            ? view.Tasks.TryGetValue(taskId, out var task) ? [task] : []
            : view.TasksOfService(query.ServiceId ?? "");

    private void Ask(LogReading reading, string nodeId, IEnumerable<SwarmTask> tasks, StoreView view)
    {
        var wanted = tasks.Where(reading.Claim).ToList();
        if (nodeId.Length == 0)
        {
            reading.Problems.AddRange(wanted.Where(t => t.DesiredState <= TaskState.Running).Select(t => $"task {t.Id} has not been scheduled"));
            wanted.ForEach(reading.Unclaim);
            return;
        }

        if (wanted.Count == 0)
        {
            return;
        }

        var request = new LogRequest
        {
            RequestId = ObjectId.New(),
            Stdout = reading.Query.Stdout,
            Stderr = reading.Query.Stderr,
            Follow = reading.Query.Follow,
            SinceUnixNanoseconds = reading.Query.Since is { } since ? (since - DateTimeOffset.UnixEpoch).Ticks * 100 : 0,
        };
        request.TaskIds.AddRange(wanted.Select(t => t.Id));
        if (reading.Query.Tail is { } tail)
        {
            request.Tail = tail;
        }

        reading.Begin(request.RequestId, nodeId);
        _requests[request.RequestId] = reading;
        if (!dispatcher.TrySend(nodeId, new ManagerMessage { Logs = request }))
        {
            _requests.TryRemove(request.RequestId, out _);
            var name = view.Nodes.TryGetValue(nodeId, out var node) ? node.Description?.Hostname ?? nodeId : nodeId;
            reading.Problems.Add($"node {name} is not available");
            reading.Done(request.RequestId);
        }
    }

    private async Task FollowAsync(LogReading reading, IAsyncEnumerable<StoreCommit> commits, CancellationToken stopping)
    {
        try
        {
            await foreach (var commit in commits.WithCancellation(stopping))
            {
                var started = commit.Events.Select(e => e.New).OfType<SwarmTask>()
                    .Where(t => (t.ServiceId == reading.Query.ServiceId || t.Id == reading.Query.TaskId) && t.Status.State >= TaskState.Starting);
                foreach (var node in started.GroupBy(t => t.NodeId))
                {
                    Ask(reading, node.Key, node, commit.View);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The reader has gone.
        }
    }
}
