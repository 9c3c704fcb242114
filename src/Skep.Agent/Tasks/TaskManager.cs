using Microsoft.Extensions.Logging;
using Skep.Agent.Assignments;
using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Model.Flow;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Network;
using Skep.Protocol.Node;

namespace Skep.Agent.Tasks;

/// <summary>Keeps a runner for every task that is assigned to this node, and takes away what is no longer assigned.</summary>
public sealed class TaskManager
{
    private const int MostAttempts = 30;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, TaskRunner> _runners = [];
    private readonly TaskContext _context;
    private readonly Watched<AssignmentSet> _assignments = new(AssignmentSet.Empty, (_, _) => true);
    private readonly ILogger _log;
    private SwarmNode _node = new() { Id = "" };

    public TaskManager(IContainerRuntime runtime, IImageStore images, INodeNetwork network, StatusReporter reporter, TimeProvider clock, ILogger<TaskManager> log)
    {
        _log = log;
        _context = new TaskContext(runtime, images, network, clock, log)
        {
            Plan = _assignments,
            Node = () => _node,
            Report = reporter.Report,
        };
    }

    /// <summary>The tasks that this node has, with what is known of each here.</summary>
    public IReadOnlyList<SwarmTask> Tasks
    {
        get
        {
            lock (_gate)
            {
                return [.. _runners.Values.Select(r => r.Current with { Status = r.Status })];
            }
        }
    }

    public void NodeIs(SwarmNode node) => _node = node;

    /// <summary>Takes over a newer set: new tasks begin, known ones learn the new wish, others are removed.</summary>
    public void Submit(AssignmentSet set, CancellationToken stopping) => Take(set, _context.Network.Submit, stopping);

    /// <summary>Goes on with what the daemon was told before it stopped; the network may know better by now.</summary>
    public void Resume(AssignmentSet set, CancellationToken stopping) => Take(set, (plan, _) => _context.Network.Resume(plan), stopping);

    /// <summary>The managers say which tasks get nothing new any more; those wait for it before they stop.</summary>
    public void Drained(DrainedTasks message)
    {
        lock (_gate)
        {
            foreach (var word in message.Tasks)
            {
                if (_runners.TryGetValue(word.TaskId, out var runner))
                {
                    runner.Drained(word);
                }
            }
        }
    }

    /// <summary>Removes containers of tasks that nobody assigns any more: left by a daemon that died before it could.</summary>
    public async Task RemoveStrangersAsync(CancellationToken stopping)
    {
        // The containers first: one of a task that comes in between is not among them.
        var containers = _context.Runtime.Containers.Where(IsTask).ToList();
        HashSet<string> wanted;
        lock (_gate)
        {
            wanted = [.. _runners.Keys.Select(ContainerId.Of)];
        }

        foreach (var container in containers.Where(c => !wanted.Contains(c.Id)))
        {
            _log.StrangerRemoved(container.Id, container.Recipe.Name);
            await UntilDoneAsync(
                container.Recipe.Name,
                async () =>
                {
                    await _context.Runtime.RemoveAsync(container.Id, force: true, stopping);
                    await _context.Network.DetachAsync(container.Id, stopping);
                },
                stopping);
        }
    }

    /// <summary>Ends every task of this node, for leaving the swarm.</summary>
    public async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        List<TaskRunner> all;
        lock (_gate)
        {
            all = [.. _runners.Values];
            _runners.Clear();
        }

        await Task.WhenAll(all.Select(r => RemoveAsync(r, cancellationToken)));
        await RemoveStrangersAsync(cancellationToken);
    }

    private void Take(AssignmentSet set, Action<NodePlan, PlanDelta?> tell, CancellationToken stopping)
    {
        _assignments.TryPublish(set);
        tell(set.Plan, set.Delta);
        lock (_gate)
        {
            foreach (var task in set.Tasks.Values)
            {
                if (_runners.TryGetValue(task.Id, out var runner))
                {
                    if (runner.Current.DesiredState != task.DesiredState)
                    {
                        runner.Update(task);
                    }
                }
                else
                {
                    _runners[task.Id] = runner = new TaskRunner(task, _context);
                    runner.Start(stopping);
                }
            }

            foreach (var gone in _runners.Keys.Except(set.Tasks.Keys).ToList())
            {
                _runners.Remove(gone, out var runner);
                _ = RemoveAsync(runner!, stopping);
            }
        }
    }

    private static bool IsTask(ContainerSnapshot container) => container.Recipe.Labels.ContainsKey("com.docker.swarm.task");

    private async Task RemoveAsync(TaskRunner runner, CancellationToken stopping)
    {
        try
        {
            await runner.EndAsync();
            await UntilDoneAsync(runner.Current.Id, () => runner.RemoveAsync(stopping), stopping);
            runner.Dispose();
        }
        catch (OperationCanceledException)
        {
            // The daemon stops. Its next start finds the container without a task and removes it.
        }
    }

    /// <summary>Removes as often as it takes, a few times: a child process may be away for a moment.</summary>
    private async Task UntilDoneAsync(string what, Func<Task> remove, CancellationToken stopping)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await remove();
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _log.RemoveFailed(what, e.Message);
                if (attempt == MostAttempts)
                {
                    // The next start of the daemon finds the container without a task and tries again.
                    return;
                }

                await Task.Delay(s_pause, _context.Clock, stopping);
            }
        }
    }
}
