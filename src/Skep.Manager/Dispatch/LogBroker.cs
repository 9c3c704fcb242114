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
public sealed class LogBroker : IServiceLogs
{
    private readonly ConcurrentDictionary<string, LogReading> _requests = new();
    private readonly IClusterStore _store;
    private readonly Dispatcher _dispatcher;

    public LogBroker(IClusterStore store, Dispatcher dispatcher)
    {
        (_store, _dispatcher) = (store, dispatcher);
        dispatcher.SessionEnded += NodeLeft;
    }

    public async IAsyncEnumerable<ServiceLogMessage> ReadAsync(
        ServiceLogQuery query,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reading = new LogReading(query);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = Task.CompletedTask;
        var view = _store.Current;
        try
        {
            if (query.Follow)
            {
                (view, var commits) = _store.SnapshotAndFollow();
                following = FollowAsync(reading, commits, ending.Token);
            }

            // A task that has no container yet would be asked in vain, and only once; a follower asks when it starts.
            foreach (var node in TasksOf(view, query).Where(t => !query.Follow || HasStarted(t)).GroupBy(t => t.NodeId))
            {
                Ask(reading, node.Key, node, view);
            }

            reading.EndWhenIdle(!query.Follow);
            await foreach (var message in reading.Messages.ReadAllAsync(ending.Token))
            {
                yield return message;
            }

            if (!reading.Problems.IsEmpty)
            {
                yield return new ServiceLogMessage("", "", "", default, 0, default)
                {
                    Problem = "incomplete log stream. some logs could not be retrieved for the following reasons: "
                        + string.Join(", ", reading.Problems.Keys.Order(StringComparer.Ordinal)),
                };
            }
        }
        finally
        {
            // The follower first: it may be about to ask another node.
            await ending.CancelAsync();
            await following;
            reading.Abandon();
            foreach (var (requestId, nodeId) in reading.Open)
            {
                _requests.TryRemove(requestId, out _);
                _dispatcher.TrySend(nodeId, new ManagerMessage { Logs = new LogRequest { RequestId = requestId, Cancel = true } });
            }
        }
    }

    /// <summary>A node's answer to one request.</summary>
    public async Task<PublishResponse> PublishAsync(IAsyncEnumerable<LogRecords> batches, PeerIdentity peer, CancellationToken cancellationToken)
    {
        string? requestId = null;
        var isAsked = false;
        try
        {
            await foreach (var batch in batches.WithCancellation(cancellationToken))
            {
                requestId ??= batch.RequestId;
                if (!_requests.TryGetValue(requestId, out var reading) || reading.NodeOf(requestId) != peer.NodeId)
                {
                    throw new ClusterException(ErrorKind.NotFound, $"nobody reads log request {requestId}");
                }

                isAsked = true;
                await reading.TakeAsync(batch, peer.NodeId, cancellationToken);
            }
        }
        finally
        {
            if (isAsked && _requests.TryRemove(requestId!, out var reading))
            {
                reading.Done(requestId!);
            }
        }

        return new PublishResponse();
    }

    /// <summary>What a node was asked through a session that is over, it will not answer: nobody is to wait for it.</summary>
    private void NodeLeft(string nodeId)
    {
        foreach (var (requestId, reading) in _requests)
        {
            if (reading.NodeOf(requestId) == nodeId && _requests.TryRemove(requestId, out _))
            {
                reading.Problem($"node {NameOf(nodeId, _store.Current)} is not available");
                reading.Done(requestId);
            }
        }
    }

    private static string NameOf(string nodeId, StoreView view) =>
        view.Nodes.TryGetValue(nodeId, out var node) && node.Description?.Hostname is { Length: > 0 } name ? name : nodeId;

    private static bool HasStarted(SwarmTask task) => task.Status.State >= TaskState.Starting;

    private static IEnumerable<SwarmTask> TasksOf(StoreView view, ServiceLogQuery query) =>
        query.TaskId is { } taskId
            ? view.Tasks.TryGetValue(taskId, out var task) ? [task] : []
            : view.TasksOfService(query.ServiceId ?? "");

    private void Ask(LogReading reading, string nodeId, IEnumerable<SwarmTask> tasks, StoreView view)
    {
        var wanted = tasks.Where(reading.Claim).ToList();
        if (nodeId.Length == 0)
        {
            wanted.Where(t => t.DesiredState <= TaskState.Running).ToList().ForEach(t => reading.Problem($"task {t.Id} has not been scheduled"));
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
        if (!_dispatcher.TrySend(nodeId, new ManagerMessage { Logs = request }))
        {
            _requests.TryRemove(request.RequestId, out _);
            reading.Problem($"node {NameOf(nodeId, view)} is not available");
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
                    .Where(t => (t.ServiceId == reading.Query.ServiceId || t.Id == reading.Query.TaskId) && HasStarted(t));
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
