using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Assignments;
using Skep.Agent.Runtime;
using Skep.Agent.Tasks;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Testing.Agent;
using Skep.Testing.Time;

namespace Skep.UnitTests.Agent.Tasks;

/// <summary>One task's runner over a runtime, images and a network in memory; its reports come as a stream.</summary>
internal sealed class TaskFixture : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<SwarmTaskStatus> _reports = Channel.CreateUnbounded<SwarmTaskStatus>();

    public TaskFixture() => Context = new TaskContext(Runtime, Images, Network, Clock, NullLogger.Instance)
    {
        Plan = Plan,
        Node = () => new SwarmNode { Id = "node1", Description = new NodeDescription { Hostname = "host1" } },
        Report = (_, status) => _reports.Writer.TryWrite(status),
    };

    public FakeRuntime Runtime { get; } = new();
    public FakeImages Images { get; } = new();
    public FakeNetwork Network { get; } = new();
    public ManualClock Clock { get; } = new();
    public Watched<AssignmentSet> Plan { get; } = new(AssignmentSet.Empty, (_, _) => true);
    public TaskContext Context { get; }

    public SwarmTask Task { get; set; } = new()
    {
        Id = "task1",
        NodeId = "node1",
        ServiceId = "svc1",
        ServiceName = "web",
        Slot = 1,
        Spec = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "web:1" } },
        Status = new SwarmTaskStatus { State = TaskState.Assigned },
    };

    public string ContainerId => Skep.Model.Identity.ContainerId.Of(Task.Id);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public TaskRunner Start()
    {
        var runner = new TaskRunner(Task, Context);
        runner.Start(_stopping.Token);
        return runner;
    }

    public void Wish(TaskRunner runner, TaskState desired) => runner.Update(runner.Current with { DesiredState = desired });

    public async Task<SwarmTaskStatus> NextAsync() =>
        await _reports.Reader.ReadAsync(Cancelled).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancelled);

    /// <summary>Skips to the first report of a state.</summary>
    public async Task<SwarmTaskStatus> UntilAsync(TaskState state)
    {
        while (true)
        {
            var next = await NextAsync();
            if (next.State == state)
            {
                return next;
            }

            Assert.True(next.State < state, $"{next.State} was reported while {state} was awaited: {next.Err}");
        }
    }

    /// <summary>States in the order in which they are reported, up to one.</summary>
    public async Task<List<TaskState>> StatesAsync(TaskState last)
    {
        var states = new List<TaskState>();
        do
        {
            states.Add((await NextAsync()).State);
        }
        while (states[^1] != last);
        return states;
    }

    public ContainerSnapshot Left(ContainerState state) => new(new ContainerRecipe { Id = ContainerId, Name = Task.Name, Image = "web:1" })
    {
        State = state,
        StartedAt = state == ContainerState.Created ? null : DateTimeOffset.UnixEpoch,
    };

    public static AssignmentSet PlanWith(string networkId) => new()
    {
        Plan = NodePlan.Empty with { Networks = NodePlan.Empty.Networks.Add(networkId, new NetworkPlan(new PlanNetwork(networkId, networkId, 7, []))) },
    };

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _stopping.Dispose();
    }
}
