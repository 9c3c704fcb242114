using System.Net;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Skep.Manager.Certificates;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;
using Skep.Protocol.Records;

namespace Skep.Manager.Dispatch;

/// <summary>
/// Tells every node what it is to run and to know, hears what it has done, and notices when it falls silent. One session per
/// node; a newer one of the same node ends the older.
/// </summary>
public sealed partial class Dispatcher(IClusterStore store, DispatcherOptions options, TimeProvider clock, ILogger<Dispatcher> log)
{
    private static readonly TimeSpan s_defaultPeriod = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, NodeSession> _sessions = [];

    // When the session of a node that has none now ended.
    private readonly Dictionary<string, long> _lost = [];
    private readonly StatusWriter _statuses = new(store, clock, log);
    private readonly DescriptionWriter _descriptions = new(store, clock, log);
    private readonly long _started = clock.GetTimestamp();
    private readonly Drains _drains = new(options, clock);
    private ITimer? _drainTimer;

    // Null until the store was read: a node must not be told that it has nothing, it would take all its tasks away.
    private AssignmentIndex? _index;

    /// <summary>A node's session is over; what was asked through it is not answered any more. Raised under the lock, before a newer one begins.</summary>
    internal event Action<string>? SessionEnded;

    /// <summary>The newest revision that a node has in its kernel; 0 when it has no session here.</summary>
    public ulong AppliedBy(string nodeId)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(nodeId, out var session) ? session.Applied : 0;
        }
    }

    /// <summary>Opens the keys of encrypted networks for the nodes that need them; null: no node is told any.</summary>
    public Func<ClusterKeyring, PlanKeyring>? OpenKeyring { get; init; }

    /// <summary>
    /// Whether every node on an encrypted network has the keys of that view in its kernel. A node that calls another manager has not, as far as is known
    /// here; one that is down may only be cut off from the managers, and is counted until it is so for long.
    /// </summary>
    public bool KeysAreApplied(StoreView view, TimeSpan patience)
    {
        ArgumentNullException.ThrowIfNull(view);
        lock (_gate)
        {
            // Before the index has heard of these keys, nodes can only have confirmed others.
            return _index is { } index && index.Revision >= (view.Cluster?.Version ?? 0) && index.KeyHolders
                .Where(id => view.Nodes.TryGetValue(id, out var node) && (node.Status.State != NodeState.Down || clock.GetUtcNow() - node.UpdatedAt < patience))
                .All(id => _sessions.TryGetValue(id, out var session) && session.Applied >= index.KeysSince);
        }
    }

    public Task RunAsync(CancellationToken stopping) =>
        Together.RunAsync(stopping, FollowAsync, _statuses.RunAsync, _descriptions.RunAsync, WatchSilenceAsync);

    /// <summary>Sends to a node that has a session here; false when it has none.</summary>
    public bool TrySend(string nodeId, ManagerMessage message)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue(nodeId, out var session))
            {
                return false;
            }

            session.Send(message);
            return true;
        }
    }

    /// <summary>One node's session, from its hello to the end of the connection.</summary>
    /// <exception cref="ClusterException">Forbidden: the node is not (or no longer) a member.</exception>
    public async IAsyncEnumerable<ManagerMessage> SessionAsync(
        IAsyncEnumerable<NodeMessage> messages,
        PeerIdentity peer,
        IPAddress remote,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var reader = messages.GetAsyncEnumerator(ending.Token);
        if (!await reader.MoveNextAsync() || reader.Current.KindCase != NodeMessage.KindOneofCase.Hello)
        {
            throw ClusterException.Invalid("a session begins with a hello");
        }

        await RegisterAsync(peer, reader.Current.Hello, remote, cancellationToken);
        var session = Open(peer.NodeId);
        var listening = ListenAsync(session, reader, ending);
        try
        {
            await foreach (var message in session.ReadAllAsync(ending.Token))
            {
                yield return message;
            }
        }
        finally
        {
            Close(session);
            await ending.CancelAsync();
            await listening;
        }
    }

    private async Task RegisterAsync(PeerIdentity peer, Hello hello, IPAddress remote, CancellationToken cancellationToken)
    {
        if (!store.Current.Nodes.ContainsKey(peer.NodeId))
        {
            throw new ClusterException(ErrorKind.Forbidden, $"node {peer.NodeId} is no member of this swarm; leave it and join again");
        }

        lock (_gate)
        {
            // Between its hello and its session a node that was silent for long is not to be called down again.
            _lost[peer.NodeId] = clock.GetTimestamp();
        }

        var description = RecordCodec.Decode(hello.Description.Span, RecordJson.Default.NodeDescription);
        var address = hello.AdvertiseAddress.Length > 0 ? hello.AdvertiseAddress : remote.ToString();
        var dataPath = hello.DataPathAddress.Length > 0 ? hello.DataPathAddress : address;
        await store.EditNodeAsync(
            peer.NodeId,
            node => node with
            {
                Description = description,
                DataPathAddress = dataPath,
                Status = node.Status with { State = NodeState.Ready, Message = null, Addr = address },
                UpdatedAt = clock.GetUtcNow(),
            },
            cancellationToken);
        log.NodeReady(peer.NodeId, description.Hostname, address);
    }

    private NodeSession Open(string nodeId)
    {
        lock (_gate)
        {
            var session = new NodeSession(nodeId, clock);
            if (_sessions.Remove(nodeId, out var older))
            {
                older.Close();
                Ended(nodeId);
            }

            _sessions[nodeId] = session;
            session.Send(new ManagerMessage { Welcome = WelcomeFor(nodeId) });
            if (_index is not null)
            {
                session.Send(Whole(_index, nodeId));
                TellDrained(session, _drains.EndedOn(nodeId));
            }

            return session;
        }
    }

    private static ManagerMessage Whole(AssignmentIndex index, string nodeId)
    {
        var full = new Assignments { Full = true, Revision = index.Revision };
        full.Changes.AddRange(index.Full(nodeId));
        return new ManagerMessage { Assignments = full };
    }

    private void Close(NodeSession session)
    {
        session.Close();
        lock (_gate)
        {
            if (_sessions.TryGetValue(session.NodeId, out var present) && present == session)
            {
                _sessions.Remove(session.NodeId);
                _lost[session.NodeId] = clock.GetTimestamp();
                Ended(session.NodeId);
            }
        }
    }

    private void Ended(string nodeId)
    {
        _drains.Silent(nodeId);
        SessionEnded?.Invoke(nodeId);
    }

    private async Task ListenAsync(NodeSession session, IAsyncEnumerator<NodeMessage> reader, CancellationTokenSource ending)
    {
        try
        {
            while (await reader.MoveNextAsync())
            {
                session.Heard();
                Take(session, reader.Current);
            }
        }
        catch (Exception e)
        {
            // A broken line, or a message that cannot be read: the node calls again.
            log.SessionBroken(session.NodeId, e.Message);
        }
        finally
        {
            session.Close();
            await ending.CancelAsync();
        }
    }

    private void Take(NodeSession session, NodeMessage message)
    {
        switch (message.KindCase)
        {
            case NodeMessage.KindOneofCase.Statuses:
                foreach (var change in message.Statuses.Changes)
                {
                    _statuses.Report(session.NodeId, change.TaskId, RecordCodec.Decode(change.Status.Span, RecordJson.Default.SwarmTaskStatus));
                }

                break;
            case NodeMessage.KindOneofCase.Applied:
                TakeApplied(session, message.Applied.Revision);
                break;
            case NodeMessage.KindOneofCase.Description:
                _descriptions.Report(session.NodeId, RecordCodec.Decode(message.Description.Description_.Span, RecordJson.Default.NodeDescription));
                break;
            case NodeMessage.KindOneofCase.Findings:
                session.Findings = message.Findings.Findings_.Count == 0 ? null : string.Join("; ", message.Findings.Findings_);
                _ = WriteMessageAsync(session);
                break;
            case NodeMessage.KindOneofCase.Heartbeat:
                TakeHeartbeat(session, message.Heartbeat.Repairs);
                break;
            default:
                break;
        }
    }

    private void TakeApplied(NodeSession session, ulong revision)
    {
        bool caughtUp;
        lock (_gate)
        {
            session.Applied = revision;
            caughtUp = session.Lag.Applied(revision);
            if (_sessions.GetValueOrDefault(session.NodeId) == session)
            {
                _drains.Confirm(session.NodeId, revision);
                TellDrained();
            }
        }

        if (caughtUp)
        {
            log.NodeCaughtUp(session.NodeId, HostnameOf(session.NodeId), revision);
            _ = WriteMessageAsync(session);
        }
    }

    /// <summary>Tells nodes of their tasks that left balancing, and sets the clock for those that are still waited for.</summary>
    private void TellDrained()
    {
        foreach (var group in _drains.TakeEnded().GroupBy(e => e.NodeId, e => e.Outcome))
        {
            foreach (var outcome in group.Where(o => o.Unconfirmed.Count > 0))
            {
                log.DrainUnconfirmed(outcome.TaskId, string.Join(", ", outcome.Unconfirmed), outcome.Revision);
            }

            if (_sessions.TryGetValue(group.Key, out var session))
            {
                TellDrained(session, group);
            }
        }

        _drainTimer?.Change(_drains.Due ?? Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private static void TellDrained(NodeSession session, IEnumerable<DrainedTask> outcomes)
    {
        var message = new DrainedTasks { Tasks = { outcomes } };
        if (message.Tasks.Count > 0)
        {
            session.Send(new ManagerMessage { Drained = message });
        }
    }

    private void DrainsAreDue()
    {
        lock (_gate)
        {
            _drains.Expire();
            TellDrained();
        }
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        await using var timer = clock.CreateTimer(_ => DrainsAreDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var (snapshot, commits) = store.SnapshotAndFollow();
        lock (_gate)
        {
            _drainTimer = timer;
            _index = AssignmentIndex.Build(snapshot, OpenKeyring);
            foreach (var session in _sessions.Values)
            {
                session.Send(Whole(_index, session.NodeId));
            }

            _drains.Restore(snapshot, _index);
            TellDrained();
        }

        await foreach (var commit in commits.WithCancellation(stopping))
        {
            lock (_gate)
            {
                Publish(_index, commit);
            }
        }
    }

    private void Publish(AssignmentIndex index, StoreCommit commit)
    {
        var from = index.Revision;
        foreach (var (nodeId, changes) in index.Apply(commit))
        {
            if (_sessions.TryGetValue(nodeId, out var session))
            {
                var delta = new Assignments { From = from, Revision = commit.View.Revision };
                delta.Changes.AddRange(changes);
                session.Send(new ManagerMessage { Assignments = delta });
            }
        }

        _drains.Apply(commit, index);
        TellDrained();
        foreach (var change in commit.Events.Where(e => e.Subject is SwarmNode))
        {
            NodeChanged((SwarmNode?)change.Old, (SwarmNode?)change.New);
        }
    }

    private void NodeChanged(SwarmNode? old, SwarmNode? now)
    {
        if (now is null)
        {
            _lost.Remove(old!.Id);
            if (_sessions.TryGetValue(old.Id, out var gone))
            {
                gone.Close();
            }
        }
        else if ((old?.Spec != now.Spec || old?.Role != now.Role) && _sessions.TryGetValue(now.Id, out var session))
        {
            session.Send(new ManagerMessage { Welcome = WelcomeFor(now.Id) });
        }
    }

    private Welcome WelcomeFor(string nodeId)
    {
        var view = store.Current;
        var welcome = new Welcome
        {
            HeartbeatMilliseconds = (ulong)(Period(view).TotalMilliseconds / options.BeatsPerPeriod),
            DataPathPort = (uint)(view.Cluster?.DataPathPort ?? 4789),
            SwarmId = view.Cluster?.Id ?? "",
        };
        if (view.Nodes.TryGetValue(nodeId, out var node))
        {
            welcome.Node = ByteString.CopyFrom(RecordCodec.Encode(node));
        }

        welcome.Managers.AddRange(view.Nodes.Values
            .Where(n => n.Role == NodeSpec.Manager && n.ManagerStatus is not null)
            .Select(n => new ManagerAddress { NodeId = n.Id, Address = n.ManagerStatus!.Addr }));
        return welcome;
    }

    private static TimeSpan Period(StoreView view) =>
        view.Cluster?.Spec.Dispatcher.HeartbeatPeriod is > 0 and { } nanoseconds ? TimeSpan.FromMicroseconds(nanoseconds / 1000.0) : s_defaultPeriod;

    /// <summary>A node from which nothing was heard for long enough is down, whether its connection broke or only went quiet.</summary>
    private async Task WatchSilenceAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500), clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            var view = store.Current;
            var patience = Period(view) * options.PeriodsUntilDown;
            foreach (var node in view.Nodes.Values.Where(n => n.Status.State is NodeState.Ready or NodeState.Unknown or NodeState.Disconnected))
            {
                if (node.Description is not null && SilenceOf(node.Id) > patience)
                {
                    await MarkDownAsync(node, patience, stopping);
                }
            }
        }
    }

    private TimeSpan SilenceOf(string nodeId)
    {
        lock (_gate)
        {
            if (_sessions.TryGetValue(nodeId, out var session))
            {
                return session.Silence;
            }

            return clock.GetElapsedTime(_lost.TryGetValue(nodeId, out var since) ? since : _started);
        }
    }

    private async Task MarkDownAsync(SwarmNode silent, TimeSpan patience, CancellationToken stopping)
    {
        NodeSession? session;
        lock (_gate)
        {
            session = _sessions.GetValueOrDefault(silent.Id);
        }

        try
        {
            await store.EditNodeAsync(
                silent.Id,
                node => node.Status.State == NodeState.Down || SilenceOf(silent.Id) <= patience
                    ? null
                    : node with { Status = node.Status with { State = NodeState.Down, Message = "heartbeat failure" }, UpdatedAt = clock.GetUtcNow() },
                stopping);
            log.NodeDown(silent.Id, silent.Description?.Hostname ?? "");

            // A node that only was slow learns by the end of its session that it has to call again.
            session?.Close();
        }
        catch (ClusterException e) when (e.Kind is ErrorKind.Unavailable or ErrorKind.DeadlineExceeded)
        {
            log.NodeDownUnwritten(silent.Id, e.Message);
        }
    }
}
