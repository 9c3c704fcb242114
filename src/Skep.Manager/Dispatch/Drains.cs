using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Rules.Labels;
using Skep.Model.States;
using Skep.Protocol.Node;

namespace Skep.Manager.Dispatch;

/// <summary>
/// Tasks that leave balancing, and which nodes have confirmed that they send them nothing new. Nothing of it is stored: that a task leaves
/// stands in its wish, and what a node has applied it says itself in each session. So any manager finds it all again after a
/// restart. Used by one thread at a time.
/// </summary>
internal sealed class Drains(DispatcherOptions options, TimeProvider clock)
{
    private readonly Dictionary<string, Drain> _all = [];

    // By the node that is waited for: a report of that node costs what waits for it.
    private readonly Dictionary<string, HashSet<Drain>> _awaiting = [];
    private readonly List<Drain> _ended = [];

    // What each node said last in its session.
    private readonly Dictionary<string, ulong> _applied = [];
    private StoreView _view = StoreView.Empty;

    /// <summary>How long until somebody is not waited for any more; null = nobody is.</summary>
    public TimeSpan? Due
    {
        get
        {
            var waiting = _all.Values.Where(d => !d.IsOver).ToList();
            if (waiting.Count == 0)
            {
                return null;
            }

            var left = clock.GetElapsedTime(clock.GetTimestamp(), waiting.Min(d => d.Deadline));
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>After a start of the manager: what was draining goes on. Its nodes have to call again first, so there is more time.</summary>
    public void Restore(StoreView view, AssignmentIndex index)
    {
        _view = view;
        foreach (var task in view.Tasks.Values.Where(Leaves))
        {
            Begin(task, task.Status.State == TaskState.Running, task.Version, options.ReturnPatience, index);
        }
    }

    /// <summary>Takes over one commit that the index has taken over.</summary>
    public void Apply(StoreCommit commit, AssignmentIndex index)
    {
        _view = commit.View;
        foreach (var change in commit.Events)
        {
            switch (change.Subject)
            {
                case SwarmTask: TaskChanged((SwarmTask?)change.Old, (SwarmTask?)change.New, index); break;
                case SwarmNode node when !IsAlive(node.Id): GiveUp(node.Id); break;
            }
        }
    }

    /// <summary>A node has applied a revision.</summary>
    public void Confirm(string nodeId, ulong revision)
    {
        _applied[nodeId] = revision;
        foreach (var drain in AwaitingOf(nodeId))
        {
            var over = drain.Confirm(nodeId, revision);
            if (!drain.Awaited.Contains(nodeId))
            {
                Forget(nodeId, drain);
            }

            End(drain, over);
        }
    }

    /// <summary>A node's session is over; what its kernel holds is not known until it calls again.</summary>
    public void Silent(string nodeId) => _applied.Remove(nodeId);

    /// <summary>Gives up what was waited for long enough.</summary>
    public void Expire()
    {
        var now = clock.GetTimestamp();
        foreach (var drain in _all.Values.Where(d => !d.IsOver && d.Deadline <= now).ToList())
        {
            foreach (var node in drain.Awaited.ToList())
            {
                Forget(node, drain);
                End(drain, drain.GiveUp(node));
            }
        }
    }

    /// <summary>What has ended since the last call, with the node to tell.</summary>
    public IReadOnlyList<(string NodeId, DrainedTask Outcome)> TakeEnded()
    {
        if (_ended.Count == 0)
        {
            return [];
        }

        var ended = _ended.Select(d => (d.NodeId, d.Outcome(Hostname))).ToList();
        _ended.Clear();
        return ended;
    }

    /// <summary>What has ended for tasks of a node that are not over: a new session does not know what an earlier one was told.</summary>
    public IEnumerable<DrainedTask> EndedOn(string nodeId) => _all.Values.Where(d => d.NodeId == nodeId && d.IsOver).Select(d => d.Outcome(Hostname));

    private static bool Leaves(SwarmTask task) =>
        task.NodeId.Length > 0
        && task.Status.State is >= TaskState.Assigned and <= TaskState.Running
        && PlanRecordsOf.StateOf(task) == EndpointState.Draining;

    private void TaskChanged(SwarmTask? old, SwarmTask? now, AssignmentIndex index)
    {
        if (now is null || !Leaves(now))
        {
            Remove((now ?? old)!.Id);
        }
        else if (!_all.TryGetValue(now.Id, out var known))
        {
            Begin(now, old is not null && PlanRecordsOf.StateOf(old) == EndpointState.Active, _view.Revision, options.DrainPatience, index);
        }
        else if (!known.Stopping && IsStopping(now))
        {
            // It was out of balancing already; its node waits for the word that fits its own wish.
            (known.Stopping, known.Grace) = (true, GraceOf(now));
            End(known, known.IsOver);
        }
    }

    private void Begin(SwarmTask task, bool balanced, ulong revision, TimeSpan patience, AssignmentIndex index)
    {
        var drain = new Drain(task.Id, task.NodeId, revision, balanced ? index.BalancersOf(task) : [])
        {
            Deadline = clock.GetTimestamp() + (long)(patience.TotalSeconds * clock.TimestampFrequency),
            Stopping = IsStopping(task),
            Grace = GraceOf(task),
        };
        _all[task.Id] = drain;
        foreach (var node in drain.Awaited.ToList())
        {
            if (!IsAlive(node))
            {
                drain.GiveUp(node);
            }
            else if (_applied.GetValueOrDefault(node) >= revision)
            {
                drain.Confirm(node, revision);
            }
            else
            {
                Await(node, drain);
            }
        }

        End(drain, drain.IsOver);
    }

    private void GiveUp(string nodeId)
    {
        foreach (var drain in AwaitingOf(nodeId))
        {
            Forget(nodeId, drain);
            End(drain, drain.GiveUp(nodeId));
        }
    }

    private void End(Drain drain, bool over)
    {
        if (over)
        {
            _ended.Add(drain);
        }
    }

    private void Remove(string taskId)
    {
        if (_all.Remove(taskId, out var drain))
        {
            foreach (var node in drain.Awaited)
            {
                Forget(node, drain);
            }

            _ended.Remove(drain);
        }
    }

    private List<Drain> AwaitingOf(string nodeId) => _awaiting.TryGetValue(nodeId, out var drains) ? [.. drains] : [];

    private void Await(string nodeId, Drain drain)
    {
        if (!_awaiting.TryGetValue(nodeId, out var drains))
        {
            _awaiting[nodeId] = drains = [];
        }

        drains.Add(drain);
    }

    private void Forget(string nodeId, Drain drain)
    {
        if (_awaiting.TryGetValue(nodeId, out var drains) && drains.Remove(drain) && drains.Count == 0)
        {
            _awaiting.Remove(nodeId);
        }
    }

    private static bool IsStopping(SwarmTask task) => task.DesiredState > TaskState.Running;

    private bool IsAlive(string nodeId) => _view.Nodes.TryGetValue(nodeId, out var node) && node.Status.State != NodeState.Down;

    private string Hostname(string nodeId) =>
        _view.Nodes.TryGetValue(nodeId, out var node) && node.Description?.Hostname is { Length: > 0 } name ? name : nodeId;

    // The service's wish of today; of a service that is gone, its wish when the task was made.
    private TimeSpan GraceOf(SwarmTask task) =>
        LifeLabels.Of(_view.Services.TryGetValue(task.ServiceId, out var service) ? service.Spec.Labels : task.ServiceLabels).DrainGrace;
}
