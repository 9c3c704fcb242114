using Skep.Agent.Runtime;
using Skep.Agent.Tasks;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Network;
using Skep.Protocol.Node;

namespace Skep.UnitTests.Agent.Tasks;

/// <summary>When a task gets its stop signal, and when it begins to count as running.</summary>
public sealed class TaskDrainTests : IAsyncDisposable
{
    private readonly TaskFixture _fixture = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskDrainTests()
    {
        _fixture.Task = _fixture.Task with { Attachments = [new TaskAttachment("net1", ["10.0.1.5/24"])] };
        _fixture.Context.Plan.TryPublish(TaskFixture.PlanWith("net1"));
        _fixture.Runtime.Before = (step, _) =>
        {
            if (step == "stop")
            {
                _stopped.TrySetResult();
            }

            return Task.CompletedTask;
        };
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_task_in_balancing_is_stopped_when_the_managers_say_that_it_gets_nothing_new()
    {
        var runner = await RunningAsync();
        _fixture.Wish(runner, TaskState.Shutdown);
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        Assert.False(_stopped.Task.IsCompleted);

        // Word of an earlier illness is not what is waited for.
        runner.Drained(Word(stopping: false));
        Assert.False(_stopped.Task.IsCompleted);
        runner.Drained(Word(stopping: true));

        var over = await _fixture.UntilAsync(TaskState.Shutdown);
        Assert.Equal((7ul, "node1 node2", "node3"), (over.Drain!.Revision, string.Join(' ', over.Drain.Confirmed), string.Join(' ', over.Drain.Unconfirmed)));
        Assert.Equal("shutdown, drained in 0 ms: 2/3 nodes confirmed (not node3), 0 of 0 flows ended", over.Message);
    }

    [Fact]
    public async Task Flows_are_waited_for_until_they_end_and_no_longer_than_the_grace()
    {
        var flows = 3;
        _fixture.Network.Traffic = _ => new SandboxTraffic { Flows = flows, TcpPorts = new HashSet<int> { 80 } };
        var runner = await RunningAsync();
        runner.Drained(Word(stopping: true));
        _fixture.Wish(runner, TaskState.Shutdown);
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        flows = 2;
        for (var waited = 0; !_stopped.Task.IsCompleted && waited < 100; waited++)
        {
            Assert.True(waited < 60, "the grace of 2 s is over");
            _fixture.Clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.WhenAny(_stopped.Task, _fixture.Clock.UntilArmedAsync(1, Cancelled));
        }

        var over = await _fixture.UntilAsync(TaskState.Shutdown);
        Assert.Equal((3, 2), (over.Drain!.FlowsAtStart, over.Drain.FlowsLeft));
        Assert.InRange(over.Drain.Took, 2_000_000_000, 3_000_000_000);
    }

    [Fact]
    public async Task When_no_manager_speaks_the_task_is_stopped_in_the_end_and_says_so()
    {
        var runner = await RunningAsync();
        _fixture.Wish(runner, TaskState.Shutdown);
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        _fixture.Clock.Advance(TaskBalance.LongestSilence - TimeSpan.FromMilliseconds(1));
        Assert.False(_stopped.Task.IsCompleted);
        _fixture.Clock.Advance(TimeSpan.FromMilliseconds(1));

        var over = await _fixture.UntilAsync(TaskState.Shutdown);
        Assert.Equal(0ul, over.Drain!.Revision);
        Assert.Contains("no manager said who had confirmed", over.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_that_ends_by_itself_ends_the_wait()
    {
        var runner = await RunningAsync();
        _fixture.Wish(runner, TaskState.Shutdown);
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);

        _fixture.Runtime.End(_fixture.ContainerId, 0);

        Assert.Null((await _fixture.UntilAsync(TaskState.Shutdown)).Drain);
    }

    [Fact]
    public async Task A_task_that_never_ran_has_nothing_to_wait_for()
    {
        _fixture.Task = _fixture.Task with { DesiredState = TaskState.Ready };
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Ready);

        _fixture.Wish(runner, TaskState.Shutdown);

        Assert.Equal("shutdown", (await _fixture.UntilAsync(TaskState.Shutdown)).Message);
    }

    [Fact]
    public async Task A_daemon_that_starts_again_waits_for_the_word_too()
    {
        _fixture.Task = _fixture.Task with { DesiredState = TaskState.Shutdown };
        _fixture.Runtime.Put(_fixture.Left(ContainerState.Running));
        var runner = _fixture.Start();
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        Assert.False(_stopped.Task.IsCompleted);

        runner.Drained(Word(stopping: true));

        Assert.Equal(7ul, (await _fixture.UntilAsync(TaskState.Shutdown)).Drain!.Revision);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_task_counts_as_running_when_its_published_ports_listen(bool onHostOnly)
    {
        Publish();
        _fixture.Task = onHostOnly ? _fixture.Task with { Attachments = [] } : _fixture.Task;
        var traffic = new SandboxTraffic { TcpPorts = new HashSet<int> { 80 } };
        _fixture.Network.Traffic = _ => traffic;
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Starting);
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        Assert.Equal(TaskState.Starting, runner.Status.State);

        traffic = traffic with { UdpPorts = new HashSet<int> { 53 } };
        _fixture.Clock.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Null((await _fixture.UntilAsync(TaskState.Running)).Err);
    }

    [Fact]
    public async Task A_port_that_listens_is_seen_within_an_eighth_of_the_time_that_its_program_took()
    {
        Publish();
        var traffic = new SandboxTraffic();
        _fixture.Network.Traffic = _ => traffic;
        _fixture.Start();
        await _fixture.UntilAsync(TaskState.Starting);
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        var begun = _fixture.Clock.GetUtcNow();
        List<double> shares = [];
        while (_fixture.Clock.GetUtcNow() - begun is var passed && passed < TimeSpan.FromMilliseconds(500))
        {
            var pause = _fixture.Clock.NextDue!.Value - _fixture.Clock.GetUtcNow();
            shares.Add(pause / (passed > TimeSpan.FromMilliseconds(40) ? passed : TimeSpan.FromMilliseconds(40)));
            _fixture.Clock.Advance(pause);
            await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        }

        Assert.All(shares, share => Assert.InRange(share, 0.1, 0.125));

        traffic = new SandboxTraffic { TcpPorts = new HashSet<int> { 80 }, UdpPorts = new HashSet<int> { 53 } };
        _fixture.Clock.Advance(_fixture.Clock.NextDue!.Value - _fixture.Clock.GetUtcNow());
        Assert.Null((await _fixture.UntilAsync(TaskState.Running)).Err);
    }

    [Fact]
    public async Task What_does_not_listen_is_named_and_gets_its_flows_after_the_timeout()
    {
        Publish();
        _fixture.Task = _fixture.Task with { ServiceLabels = new Dictionary<string, string> { ["skep.ready.timeout"] = "3s" } };
        _fixture.Network.Traffic = _ => new SandboxTraffic { TcpPorts = new HashSet<int> { 80 } };
        _fixture.Start();
        await _fixture.UntilAsync(TaskState.Starting);
        SwarmTaskStatus status;
        var named = false;
        do
        {
            var next = _fixture.NextAsync();
            while (!next.IsCompleted)
            {
                _fixture.Clock.Advance(TimeSpan.FromMilliseconds(100));
                await Task.WhenAny(next, _fixture.Clock.UntilArmedAsync(1, Cancelled));
            }

            status = await next;
            named |= status is { State: TaskState.Starting, Err: "nothing listens at 53/udp yet" };
        }
        while (status.State != TaskState.Running);

        Assert.True(named);
        Assert.InRange(_fixture.Clock.GetUtcNow() - ManualStart, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(6));
    }

    [Fact]
    public void Ranges_of_ports_are_not_waited_for()
    {
        PortConfig[] published =
        [
            new() { TargetPort = 21 },
            .. Enumerable.Range(30000, 10).Select(p => new PortConfig { TargetPort = (uint)p }),
            .. Enumerable.Range(80, 3).Select(p => new PortConfig { TargetPort = (uint)p }),
            new() { TargetPort = 30010, Protocol = "udp" },
            new() { TargetPort = 99, Protocol = "sctp" },
        ];
        Assert.Equal([21u, 80, 81, 82, 30010], ReadinessPorts.Of(published).Select(p => p.TargetPort));
    }

    [Fact]
    public async Task An_unhealthy_task_leaves_balancing_before_it_is_killed()
    {
        _fixture.Runtime.HealthAtStart = "healthy";
        var runner = await RunningAsync();
        _fixture.Runtime.BecomeHealth(_fixture.ContainerId, "unhealthy");
        Assert.Equal((TaskState.Running, true), await StateAsync());
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        Assert.False(_stopped.Task.IsCompleted);

        runner.Drained(Word(stopping: false));

        var failed = await _fixture.UntilAsync(TaskState.Failed);
        Assert.Equal(("task: non-zero exit (143): dockerexec: unhealthy container", 7ul, null), (failed.Err, failed.Drain!.Revision, failed.Unhealthy));
    }

    [Theory]
    [InlineData("none", null)]
    [InlineData("any", "keep")]
    public async Task An_unhealthy_task_that_nobody_replaces_lives_on_and_comes_back(string condition, string? label)
    {
        _fixture.Task = _fixture.Task with
        {
            Spec = _fixture.Task.Spec with { RestartPolicy = new RestartPolicy { Condition = condition } },
            ServiceLabels = label is null ? null : new Dictionary<string, string> { ["skep.unhealthy"] = label },
        };
        _fixture.Runtime.HealthAtStart = "healthy";
        var runner = await RunningAsync();
        _fixture.Runtime.BecomeHealth(_fixture.ContainerId, "unhealthy");
        Assert.Equal((TaskState.Running, true), await StateAsync());
        runner.Drained(Word(stopping: false));

        _fixture.Runtime.BecomeHealth(_fixture.ContainerId, "healthy");

        Assert.Equal((TaskState.Running, null), await StateAsync());
        Assert.False(_stopped.Task.IsCompleted);

        // What was said while it was ill does not do for its stop.
        _fixture.Wish(runner, TaskState.Shutdown);
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        Assert.False(_stopped.Task.IsCompleted);
        runner.Drained(Word(stopping: true));
        await _fixture.UntilAsync(TaskState.Shutdown);
    }

    private static DateTimeOffset ManualStart => new Skep.Testing.Time.ManualClock().GetUtcNow();

    private static DrainedTask Word(bool stopping) => new()
    {
        TaskId = "t1",
        Revision = 7,
        Confirmed = { "node1", "node2" },
        Unconfirmed = { "node3" },
        GraceMilliseconds = 2000,
        Stopping = stopping,
    };

    private void Publish() => _fixture.Task = _fixture.Task with
    {
        Endpoint = new EndpointSpec { Ports = [new PortConfig { TargetPort = 80, PublishedPort = 8080 }, new PortConfig { Protocol = "udp", TargetPort = 53, PublishedPort = 53 }] },
    };

    private async Task<(TaskState State, bool? Unhealthy)> StateAsync()
    {
        var status = await _fixture.NextAsync();
        return (status.State, status.Unhealthy);
    }

    private async Task<TaskRunner> RunningAsync()
    {
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Running);
        return runner;
    }
}
