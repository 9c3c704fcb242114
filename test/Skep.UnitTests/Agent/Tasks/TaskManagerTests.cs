using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Assignments;
using Skep.Agent.Runtime;
using Skep.Agent.Tasks;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Records;
using Skep.Testing.Agent;
using Skep.Testing.Time;

namespace Skep.UnitTests.Agent.Tasks;

public sealed class TaskManagerTests : IDisposable
{
    private readonly FakeRuntime _runtime = new();
    private readonly FakeImages _images = new();
    private readonly FakeNetwork _network = new();
    private readonly ManualClock _clock = new();
    private readonly StatusReporter _reporter = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskManager _tasks;

    public TaskManagerTests() => _tasks = new TaskManager(_runtime, _images, _network, _reporter, _clock, NullLogger<TaskManager>.Instance);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tasks_begin_learn_another_wish_and_go_with_the_assignments()
    {
        _tasks.Submit(Set(Task("t1"), Task("t2")), _stopping.Token);
        await UntilAsync(("t1", TaskState.Running), ("t2", TaskState.Running));

        _tasks.Submit(Set(Task("t1") with { DesiredState = TaskState.Shutdown }, Task("t2")), _stopping.Token);
        await UntilAsync(("t1", TaskState.Shutdown));
        Assert.Equal(TaskState.Running, _tasks.Tasks.Single(t => t.Id == "t2").Status.State);

        _tasks.Submit(Set(), _stopping.Token);
        Assert.Empty(_tasks.Tasks);
        await GoneAsync();
    }

    [Fact]
    public async Task A_runtime_that_is_away_when_a_task_is_removed_is_asked_again()
    {
        _tasks.Submit(Set(Task("t1")), _stopping.Token);
        await UntilAsync(("t1", TaskState.Running));
        var failures = 2;
        _runtime.Before = (step, _) => step == "remove" && failures-- > 0
            ? throw new ClusterException(ErrorKind.Unavailable, "containerd is away")
            : System.Threading.Tasks.Task.CompletedTask;

        _tasks.Submit(Set(), _stopping.Token);
        for (var i = 0; i < 2; i++)
        {
            await _clock.UntilArmedAsync(1, Cancelled);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        await GoneAsync();
    }

    [Fact]
    public async Task Containers_of_tasks_that_nobody_assigns_are_removed_and_others_are_left()
    {
        _runtime.Put(Container("stranger", "com.docker.swarm.task"));
        _runtime.Put(Container("by-hand", "mine"));
        _tasks.Submit(Set(Task("t1")), _stopping.Token);
        await UntilAsync(("t1", TaskState.Running));

        await _tasks.RemoveStrangersAsync(Cancelled);

        Assert.Equal(new[] { "by-hand", ContainerId.Of("t1") }.Order(), _runtime.Containers.Select(c => c.Id).Order());
    }

    [Fact]
    public async Task Leaving_the_swarm_ends_everything()
    {
        _tasks.Submit(Set(Task("t1"), Task("t2")), _stopping.Token);
        await UntilAsync(("t1", TaskState.Running), ("t2", TaskState.Running));

        await _tasks.RemoveAllAsync(Cancelled);

        Assert.Empty(_runtime.Containers);
        Assert.Empty(_network.Attached);
        Assert.Empty(_tasks.Tasks);
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private static SwarmTask Task(string id) => new()
    {
        Id = id,
        NodeId = "node1",
        ServiceName = "web",
        Slot = 1,
        Spec = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "web:1" } },
        Status = new SwarmTaskStatus { State = TaskState.Assigned },
    };

    private static ContainerSnapshot Container(string id, string label) =>
        new(new ContainerRecipe { Id = id, Name = id, Image = "web:1", Labels = new Dictionary<string, string> { [label] = "" } });

    private static AssignmentSet Set(params SwarmTask[] tasks) => new() { Tasks = AssignmentSet.Empty.Tasks.AddRange(tasks.Select(t => KeyValuePair.Create(t.Id, t))) };

    private async Task UntilAsync(params (string Id, TaskState State)[] wanted)
    {
        var missing = wanted.ToHashSet();
        while (missing.Count > 0)
        {
            foreach (var change in (await _reporter.NextAsync(Cancelled).WaitAsync(TimeSpan.FromSeconds(10), Cancelled)).Changes)
            {
                missing.Remove((change.TaskId, RecordCodec.Decode(change.Status.Span, RecordJson.Default.SwarmTaskStatus).State));
            }
        }
    }

    private async Task GoneAsync() => Assert.True(await System.Threading.Tasks.Task.Run(
        () => SpinWait.SpinUntil(() => _runtime.Containers.Count == 0 && _network.Attached.Count == 0, TimeSpan.FromSeconds(10)), Cancelled));
}
