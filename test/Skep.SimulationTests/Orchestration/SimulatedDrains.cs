using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.States;
using Skep.Protocol.Node;

namespace Skep.SimulationTests.Orchestration;

/// <summary>
/// The managers' real book of drains and the nodes' data planes, as far as drains need them: each node has a revision in its kernel that
/// follows the store's with a delay, or stays where it is. Checks of every stop that nobody balanced to the task who was to be waited for.
/// </summary>
internal sealed class SimulatedDrains(SimulatedSwarm swarm)
{
    private readonly DispatcherOptions _options = new();
    private readonly Dictionary<string, ulong> _applied = [];
    private readonly Dictionary<string, ulong> _told = [];
    private readonly Dictionary<string, DrainedTask> _words = [];

    // When an agent learned that its task is to stop.
    private readonly Dictionary<string, DateTimeOffset> _wished = [];
    private Drains? _book;
    private AssignmentIndex? _index;

    /// <summary>How long an agent waits for a manager's word.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    /// <summary>Nodes whose kernel stays as it is, though they are heard.</summary>
    public HashSet<string> Stuck { get; } = [];

    /// <summary>Tasks that were stopped, with their receipts.</summary>
    public Dictionary<string, DrainedTask?> Receipts { get; } = [];

    public int Waited { get; private set; }

    /// <summary>Another manager's process: it knows the store and hears the nodes anew.</summary>
    public void Restart()
    {
        (_book, _index) = (new Drains(_options, swarm.Clock), AssignmentIndex.Build(swarm.View));
        foreach (var node in swarm.View.Nodes.Keys)
        {
            _told[node] = swarm.View.Revision;
        }

        _book.Restore(swarm.View, _index);
        foreach (var (node, applied) in _applied.Where(a => !swarm.Silent.Contains(a.Key)))
        {
            _book.Confirm(node, applied);
        }

        Tell();
    }

    public void Apply(StoreCommit commit)
    {
        if (_index is null || commit.View.Revision <= _index.Revision)
        {
            return;
        }

        foreach (var node in _index.Apply(commit).Keys)
        {
            _told[node] = commit.View.Revision;
        }

        _book!.Apply(commit, _index);
        Tell();
    }

    /// <summary>Nodes bring their kernels up to date and say so, one sooner than the other; time runs out for those that do not.</summary>
    /// <returns>True when some have yet to.</returns>
    public bool Step()
    {
        if (_book is null)
        {
            return false;
        }

        var behind = _told.Where(t => !Stuck.Contains(t.Key) && !swarm.Silent.Contains(t.Key) && _applied.GetValueOrDefault(t.Key) < t.Value)
            .OrderBy(t => t.Key, StringComparer.Ordinal).ToList();
        foreach (var (node, told) in behind.Where(_ => swarm.Chance(2) == 0))
        {
            _applied[node] = told;
            _book.Confirm(node, told);
        }

        _book.Expire();
        Tell();
        return behind.Count > 0;
    }

    /// <summary>What an agent asks before it sends the stop signal.</summary>
    public bool MayStop(SwarmTask task)
    {
        if (task.Status.State != TaskState.Running)
        {
            return true;
        }

        _wished.TryAdd(task.Id, swarm.Clock.GetUtcNow());
        var word = _words.GetValueOrDefault(task.Id);
        if (word is not { Stopping: true } && swarm.Clock.GetUtcNow() - _wished[task.Id] < Silence)
        {
            Waited++;
            return false;
        }

        Receipts[task.Id] = word;
        CheckStop(task, word);
        return true;
    }

    /// <summary>The rule: a living node that balances to the task has the revision in which it drains, or was waited for as long as was promised.</summary>
    private void CheckStop(SwarmTask task, DrainedTask? word)
    {
        foreach (var node in _index!.BalancersOf(task).Where(n => swarm.View.Nodes.TryGetValue(n, out var there) && there.Status.State != NodeState.Down))
        {
            var confirmed = word is not null && _applied.GetValueOrDefault(node) >= word.Revision;
            var named = word?.Unconfirmed.Contains(node) == true && swarm.Clock.GetUtcNow() - _wished[task.Id] >= TimeSpan.Zero;
            var silence = swarm.Clock.GetUtcNow() - _wished[task.Id] >= Silence;
            Assert.True(
                confirmed || named || silence || !WasBalanced(word),
                $"{task.Name} is stopped though {node} has {_applied.GetValueOrDefault(node)}, before revision {word?.Revision}, and is not named");
        }
    }

    private static bool WasBalanced(DrainedTask? word) => word is null || word.Confirmed.Count + word.Unconfirmed.Count > 0;

    private void Tell()
    {
        foreach (var (_, outcome) in _book!.TakeEnded())
        {
            _words[outcome.TaskId] = outcome;
        }
    }
}
