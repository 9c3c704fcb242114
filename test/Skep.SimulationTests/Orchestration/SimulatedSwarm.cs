using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Allocation;
using Skep.Manager.Orchestration;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Testing.Store;
using Skep.Testing.Time;

namespace Skep.SimulationTests.Orchestration;

/// <summary>
/// A swarm of one process and one thread: the leader's real passes over the fake store, agents that only move task states, and a clock that
/// the test moves. The same seed gives the same history.
/// </summary>
internal sealed class SimulatedSwarm
{
    private readonly Random _random;
    private IAsyncEnumerator<StoreCommit>? _commits;
    private Task<bool>? _next;
    private ManagerPass? _pass;
    private ManagerPass? _deposed;
    private int _terms;
    private ulong _seen;
    private int _ids;

    public SimulatedSwarm(int seed) => _random = new Random(seed);

    public FakeClusterStore Store { get; } = new();
    /// <summary>The leader's own way to the store; null = the store itself.</summary>
    public IClusterStore? LeaderStore { get; set; }

    /// <summary>What the leader thinks is in use.</summary>
    public ClusterBooks Books => _pass!.Books;

    public ManualClock Clock { get; } = new();
    public StoreView View => Store.Current;

    /// <summary>Looks at every commit.</summary>
    public Action<StoreCommit>? OnCommit { get; set; }

    /// <summary>Agents of these nodes say nothing.</summary>
    public HashSet<string> Silent { get; } = [];

    /// <summary>Which tasks end by themselves when their agent looks at them.</summary>
    public Func<SwarmTask, bool> Fails { get; set; } = _ => false;

    /// <summary>Tasks that cannot be prepared: no image, no mount.</summary>
    public Func<SwarmTask, bool> Rejects { get; set; } = _ => false;

    /// <summary>Null: agents stop tasks as soon as they are told to.</summary>
    private SimulatedDrains? Drains { get; set; }

    /// <summary>From now on nodes apply what they are told, say so, and stop no task before it is drained.</summary>
    public SimulatedDrains WithDrains() => Drains = new SimulatedDrains(this);

    public string NewId() => $"id{_ids++:d23}";

    public async Task StartAsync(int nodes, bool ipv6 = false)
    {
        await Store.CommitAsync(Bootstrap.FirstTransaction(new SwarmCluster { Id = "cluster" }, null, Clock.GetUtcNow(), ipv6), default);
        for (var i = 1; i <= nodes; i++)
        {
            await AddNodeAsync($"node{i}");
        }

        await NewLeaderAsync();
        await SettleAsync();
    }

    public Task AddNodeAsync(string id) => CreateAsync(new SwarmNode
    {
        Id = id,
        Description = new NodeDescription { Hostname = id, Resources = new ResourceAmounts { NanoCPUs = 4_000_000_000, MemoryBytes = 8L << 30 } },
        Status = new NodeStatus { State = NodeState.Ready, Addr = "10.9.0.1" },
    });

    public Task CreateAsync(SwarmObject value) => Store.CommitAsync(new StoreTransaction().Create(value), default);

    public Task UpdateAsync(SwarmObject value) => Store.CommitAsync(new StoreTransaction().Update(value), default);

    public Task RemoveAsync(SwarmObject value) => Store.CommitAsync(new StoreTransaction().Remove(value), default);

    public Task CreateServiceAsync(string id, Func<ServiceSpec, ServiceSpec> shape) =>
        CreateAsync(new SwarmService { Id = id, Spec = shape(new ServiceSpec { Name = id }) });

    /// <summary>What the control API does with an accepted update.</summary>
    public Task UpdateServiceAsync(string id, Func<ServiceSpec, ServiceSpec> change)
    {
        var service = View.Services[id];
        return UpdateAsync(service with
        {
            PreviousSpec = service.Spec,
            PreviousSpecVersion = service.SpecVersion,
            Spec = change(service.Spec),
            SpecVersion = service.Version,
            UpdateStatus = null,
        });
    }

    public Task SetNodeAsync(string id, Func<SwarmNode, SwarmNode> change) =>
        UpdateAsync(change(View.Nodes[id]) with { UpdatedAt = Clock.GetUtcNow() });

    /// <summary>Another manager takes over: all memory is lost, the store stays.</summary>
    public async Task NewLeaderAsync()
    {
        (_deposed, _terms) = (_pass, _terms + 1);
        var subscription = Store.SnapshotAndFollow();
        _seen = subscription.Snapshot.Revision;
        _commits = subscription.Commits.GetAsyncEnumerator();
        _next = _commits.MoveNextAsync().AsTask();
        _pass = new ManagerPass(new LeaderTerm(LeaderStore ?? Store, _terms, () => _terms), subscription.Snapshot, Clock, NullLogger.Instance, NewId);
        await _pass.CatchUpAsync(default);
    }

    /// <summary>What the leader does when the store gave no answer.</summary>
    public Task CatchUpAsync() => _pass!.CatchUpAsync(default);

    /// <summary>A pass of the leader before this one, which has not heard that it is none any more.</summary>
    public Task<int> DeposedPassAsync() => _deposed?.RunAsync(default) ?? Task.FromResult(0);

    /// <summary>One pass of the leader over what has happened.</summary>
    /// <param name="lag">So many of the latest commits its watch has not brought yet.</param>
    public async Task<int> PassAsync(int lag = 0)
    {
        while (_seen + (ulong)lag < View.Revision && await _next!)
        {
            var commit = _commits!.Current;
            _seen = commit.View.Revision;
            _next = _commits.MoveNextAsync().AsTask();
            OnCommit?.Invoke(commit);
            Drains?.Apply(commit);
            _pass!.Apply(commit);
            _deposed?.Apply(commit);
        }

        return await _pass!.RunAsync(default);
    }

    /// <summary>Every agent moves every task of its node by one step.</summary>
    public async Task<bool> AgentsAsync()
    {
        var moved = false;
        foreach (var task in View.Tasks.Values.Where(t => t.NodeId.Length > 0 && !Silent.Contains(t.NodeId) && View.Nodes.ContainsKey(t.NodeId))
            .OrderBy(t => t.Id, StringComparer.Ordinal))
        {
            if (Step(task) is { } state && state != task.Status.State)
            {
                moved = true;
                await UpdateAsync(task with { Status = new SwarmTaskStatus { State = state, Timestamp = Clock.GetUtcNow(), AppliedAt = Clock.GetUtcNow() } });
            }
        }

        return moved;
    }

    /// <summary>Passes and agents until nothing moves; the clock stands but for a millisecond a round.</summary>
    public async Task SettleAsync()
    {
        for (var round = 0; round < 400; round++)
        {
            var changes = await PassAsync();
            var moved = Drains?.Step() is true;
            moved |= await AgentsAsync();
            if (changes == 0 && !moved && await PassAsync() == 0)
            {
                return;
            }

            Clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        throw new InvalidOperationException("The swarm does not come to rest: " + string.Join(", ", View.Tasks.Values.Select(t => $"{t.Name} {t.Status.State}/{t.DesiredState}")));
    }

    public async Task AdvanceAsync(TimeSpan by)
    {
        Clock.Advance(by);
        await SettleAsync();
    }

    public int Chance(int below) => _random.Next(below);

    private TaskState? Step(SwarmTask task) => (task.Status.State, task.DesiredState) switch
    {
        (> TaskState.Running or < TaskState.Assigned, _) => null,
        (_, > TaskState.Running) => Drains?.MayStop(task) is false ? null : TaskState.Shutdown,
        (TaskState.Assigned, _) => TaskState.Accepted,
        (TaskState.Accepted, _) => TaskState.Preparing,
        (TaskState.Preparing, _) => Rejects(task) ? TaskState.Rejected : TaskState.Ready,
        (TaskState.Ready, TaskState.Running) => TaskState.Starting,
        (TaskState.Starting, _) => Fails(task) ? TaskState.Failed : TaskState.Running,
        (TaskState.Running, _) when Fails(task) => TaskState.Failed,
        _ => null,
    };
}
