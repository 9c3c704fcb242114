using Skep.Agent.Runtime;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;

namespace Skep.UnitTests.Agent.Tasks;

public sealed class TaskRunnerTests : IAsyncDisposable
{
    private readonly TaskFixture _fixture = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_comes_to_run_step_by_step()
    {
        var runner = _fixture.Start();

        Assert.Equal(
            [TaskState.Accepted, TaskState.Preparing, TaskState.Ready, TaskState.Starting, TaskState.Running],
            await _fixture.StatesAsync(TaskState.Running));
        Assert.Equal(1, _fixture.Images.Pulls);
        Assert.Equal([_fixture.ContainerId], _fixture.Network.Attached);
        Assert.Equal((_fixture.ContainerId, 4711), (runner.Status.Container!.ContainerId, runner.Status.Container.Pid));
    }

    [Fact]
    public async Task An_image_that_is_here_is_not_asked_for()
    {
        _fixture.Images.Add("web:1");
        _fixture.Start();

        await _fixture.UntilAsync(TaskState.Running);

        Assert.Equal(0, _fixture.Images.Pulls);
    }

    [Fact]
    public async Task A_task_that_is_only_to_be_ready_waits_for_its_turn()
    {
        _fixture.Task = _fixture.Task with { DesiredState = TaskState.Ready };
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Ready);
        Assert.Equal(ContainerState.Created, _fixture.Runtime.Find(_fixture.ContainerId).State);

        _fixture.Wish(runner, TaskState.Running);

        await _fixture.UntilAsync(TaskState.Running);
    }

    [Theory]
    [InlineData(0, TaskState.Complete, null)]
    [InlineData(3, TaskState.Failed, "task: non-zero exit (3)")]
    public async Task How_a_container_ends_is_how_its_task_ends(int exitCode, TaskState state, string? error)
    {
        _fixture.Start();
        await _fixture.UntilAsync(TaskState.Running);

        _fixture.Runtime.End(_fixture.ContainerId, exitCode);

        var ended = await _fixture.UntilAsync(state);
        Assert.Equal((error, exitCode), (ended.Err, ended.Container!.ExitCode));

        // The container stays for its log; its place on the network is given up, and no stream is left open.
        Assert.NotEmpty(_fixture.Runtime.Containers);
        Assert.Empty(_fixture.Network.Attached);
    }

    [Fact]
    public async Task A_job_that_is_wished_complete_completes()
    {
        _fixture.Task = _fixture.Task with { DesiredState = TaskState.Complete };
        _fixture.Start();
        await _fixture.UntilAsync(TaskState.Running);

        _fixture.Runtime.End(_fixture.ContainerId, 0);

        Assert.Equal("finished", (await _fixture.UntilAsync(TaskState.Complete)).Message);
    }

    [Fact]
    public async Task A_container_with_a_probe_runs_when_it_is_healthy_and_fails_when_it_no_longer_is()
    {
        _fixture.Runtime.HealthAtStart = "starting";
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Starting);
        await StartedAsync();
        Assert.Equal(TaskState.Starting, runner.Status.State);

        _fixture.Runtime.BecomeHealth(_fixture.ContainerId, "healthy");
        await _fixture.UntilAsync(TaskState.Running);
        _fixture.Runtime.BecomeHealth(_fixture.ContainerId, "unhealthy");

        var failed = await _fixture.UntilAsync(TaskState.Failed);
        Assert.Equal("task: non-zero exit (143): dockerexec: unhealthy container", failed.Err);
        Assert.Equal(ContainerState.Exited, _fixture.Runtime.Find(_fixture.ContainerId).State);
    }

    [Fact]
    public async Task A_container_that_never_gets_healthy_can_be_stopped()
    {
        _fixture.Runtime.HealthAtStart = "starting";
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Starting);
        await StartedAsync();

        _fixture.Wish(runner, TaskState.Shutdown);

        await _fixture.UntilAsync(TaskState.Shutdown);
        Assert.Equal(ContainerState.Exited, _fixture.Runtime.Find(_fixture.ContainerId).State);
    }

    [Fact]
    public async Task A_running_task_is_stopped_when_it_is_wished_away()
    {
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Running);

        _fixture.Wish(runner, TaskState.Shutdown);

        Assert.Null((await _fixture.UntilAsync(TaskState.Shutdown)).Err);
        Assert.Empty(_fixture.Network.Attached);
    }

    [Fact]
    public async Task A_long_pull_is_cut_short_when_the_task_is_no_longer_wished_for()
    {
        var pulling = new TaskCompletionSource();
        var cut = new TaskCompletionSource();
        _fixture.Images.Pulling = async (_, cancellationToken) =>
        {
            cancellationToken.Register(cut.SetResult);
            pulling.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        };
        var runner = _fixture.Start();
        await pulling.Task.WaitAsync(Cancelled);

        _fixture.Wish(runner, TaskState.Shutdown);

        await _fixture.UntilAsync(TaskState.Shutdown);
        Assert.True(cut.Task.IsCompleted);
        Assert.Empty(_fixture.Runtime.Containers);
        Assert.Empty(_fixture.Network.Attached);
    }

    [Fact]
    public async Task A_start_under_way_is_ended_first_and_then_stopped()
    {
        var (starting, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _fixture.Runtime.Before = async (step, _) =>
        {
            if (step == "start")
            {
                starting.SetResult();
                await go.Task;
            }
        };
        var runner = _fixture.Start();
        await starting.Task.WaitAsync(Cancelled);

        _fixture.Wish(runner, TaskState.Shutdown);
        go.SetResult();

        await _fixture.StatesAsync(TaskState.Shutdown);
        Assert.Equal(ContainerState.Exited, _fixture.Runtime.Find(_fixture.ContainerId).State);
    }

    [Fact]
    public async Task What_cannot_be_made_is_rejected_with_the_sentence()
    {
        _fixture.Runtime.Before = (step, _) => step == "create"
            ? throw ClusterException.Invalid("invalid mount config for type \"bind\": bind source path does not exist: /nowhere")
            : Task.CompletedTask;
        _fixture.Start();

        var rejected = await _fixture.UntilAsync(TaskState.Rejected);

        Assert.Equal("invalid mount config for type \"bind\": bind source path does not exist: /nowhere", rejected.Err);
        Assert.Empty(_fixture.Network.Attached);
    }

    [Fact]
    public async Task A_task_without_a_container_specification_is_rejected()
    {
        _fixture.Task = _fixture.Task with { Spec = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "web:1", Hostname = "{{.Nobody}}" } } };
        _fixture.Start();

        Assert.Contains(".Nobody", (await _fixture.UntilAsync(TaskState.Rejected)).Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_cannot_be_run_fails_the_task()
    {
        _fixture.Runtime.Before = (step, _) => step == "start"
            ? throw new ClusterException(ErrorKind.FailedPrecondition, "exec: \"nope\": executable file not found in $PATH")
            : Task.CompletedTask;
        _fixture.Start();

        Assert.Contains("executable file not found", (await _fixture.UntilAsync(TaskState.Failed)).Err, StringComparison.Ordinal);
        Assert.Empty(_fixture.Network.Attached);
    }

    [Fact]
    public async Task A_registry_that_is_away_is_asked_again_and_its_reason_is_shown_once()
    {
        var failures = 3;
        _fixture.Images.Pulling = (_, _) => failures-- > 0
            ? throw new ClusterException(ErrorKind.Unavailable, "the registry does not answer")
            : Task.CompletedTask;
        _fixture.Start();
        Assert.Equal(TaskState.Accepted, (await _fixture.NextAsync()).State);
        Assert.Null((await _fixture.NextAsync()).Err);
        var waiting = await _fixture.NextAsync();
        Assert.Equal((TaskState.Preparing, "the registry does not answer"), (waiting.State, waiting.Err));

        foreach (var seconds in (int[])[1, 2, 4])
        {
            await _fixture.Clock.UntilArmedAsync(1, Cancelled);
            _fixture.Clock.Advance(TimeSpan.FromSeconds(seconds));
        }

        var ready = await _fixture.NextAsync();
        Assert.Equal((TaskState.Ready, null), (ready.State, ready.Err));
        Assert.Equal(4, _fixture.Images.Pulls);
    }

    [Fact]
    public async Task A_task_that_waits_for_a_registry_ends_at_once_when_it_is_wished_away()
    {
        _fixture.Images.Pulling = (_, _) => throw new ClusterException(ErrorKind.Unavailable, "the registry does not answer");
        var runner = _fixture.Start();
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);

        _fixture.Wish(runner, TaskState.Shutdown);

        Assert.Equal(TaskState.Shutdown, (await _fixture.StatesAsync(TaskState.Shutdown))[^1]);
    }

    [Fact]
    public async Task An_image_that_is_refused_does_not_wait_for_the_network()
    {
        _fixture.Task = _fixture.Task with { Attachments = [new TaskAttachment("net1", ["10.0.1.5/24"])] };
        _fixture.Images.Pulling = (_, _) => throw ClusterException.Invalid("No such image: web:1");
        _fixture.Start();

        Assert.Equal("No such image: web:1", (await _fixture.UntilAsync(TaskState.Rejected)).Err);
    }

    [Fact]
    public async Task A_task_waits_for_its_networks_to_be_in_the_plan()
    {
        _fixture.Task = _fixture.Task with { Attachments = [new TaskAttachment("net1", ["10.0.1.5/24"])] };
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Preparing);
        Assert.Empty(_fixture.Runtime.Containers);

        _fixture.Plan.TryPublish(TaskFixture.PlanWith("net1"));

        await _fixture.UntilAsync(TaskState.Running);
        Assert.Equal(TaskState.Running, runner.Status.State);
    }

    [Fact]
    public async Task A_runtime_that_is_away_when_a_task_is_stopped_is_asked_again()
    {
        var runner = _fixture.Start();
        await _fixture.UntilAsync(TaskState.Running);
        var failures = 1;
        _fixture.Runtime.Before = (step, _) => step == "stop" && failures-- > 0
            ? throw new ClusterException(ErrorKind.Unavailable, "containerd is away")
            : Task.CompletedTask;

        _fixture.Wish(runner, TaskState.Shutdown);
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        Assert.Equal(TaskState.Running, runner.Status.State);
        _fixture.Clock.Advance(TimeSpan.FromSeconds(1));

        await _fixture.UntilAsync(TaskState.Shutdown);
        Assert.Equal(ContainerState.Exited, _fixture.Runtime.Find(_fixture.ContainerId).State);
    }

    [Theory]
    [InlineData("pull")]
    [InlineData("create")]
    [InlineData("start")]
    [InlineData("running")]
    public async Task Removal_at_any_time_leaves_nothing(string when)
    {
        var reached = new TaskCompletionSource();
        _fixture.Images.Pulling = (_, cancellationToken) => HoldAsync("pull", cancellationToken);
        _fixture.Runtime.Before = HoldAsync;
        async Task HoldAsync(string step, CancellationToken cancellationToken)
        {
            if (step == when)
            {
                reached.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
        }

        var runner = _fixture.Start();
        await (when == "running" ? _fixture.UntilAsync(TaskState.Running) : reached.Task.WaitAsync(Cancelled));

        await runner.EndAsync().WaitAsync(TimeSpan.FromSeconds(10), Cancelled);
        await runner.RemoveAsync(Cancelled);

        Assert.Empty(_fixture.Runtime.Containers);
        Assert.Empty(_fixture.Network.Attached);
        runner.Dispose();
    }

    [Fact]
    public async Task A_container_that_still_runs_is_taken_over()
    {
        _fixture.Runtime.Put(_fixture.Left(ContainerState.Running));
        _fixture.Start();

        Assert.Equal(TaskState.Running, (await _fixture.NextAsync()).State);
        Assert.Equal([_fixture.ContainerId], _fixture.Network.Attached);
        Assert.Equal(0, _fixture.Images.Pulls);
        _fixture.Runtime.End(_fixture.ContainerId, 0);
        await _fixture.UntilAsync(TaskState.Complete);
    }

    [Fact]
    public async Task A_container_that_ended_meanwhile_tells_how()
    {
        _fixture.Runtime.Put(_fixture.Left(ContainerState.Exited) with { ExitCode = 9 });
        _fixture.Start();

        Assert.Equal("task: non-zero exit (9)", (await _fixture.UntilAsync(TaskState.Failed)).Err);
    }

    [Fact]
    public async Task A_container_that_was_only_made_is_started()
    {
        _fixture.Runtime.Put(_fixture.Left(ContainerState.Created));
        _fixture.Start();

        await _fixture.UntilAsync(TaskState.Running);
    }

    [Fact]
    public async Task A_running_container_that_is_no_longer_wished_for_is_stopped_though_its_network_is_gone()
    {
        _fixture.Task = _fixture.Task with { DesiredState = TaskState.Shutdown, Attachments = [new TaskAttachment("net1", ["10.0.1.5/24"])] };
        _fixture.Runtime.Put(_fixture.Left(ContainerState.Running));
        _fixture.Start().Drained(new DrainedTask { Stopping = true });

        await _fixture.UntilAsync(TaskState.Shutdown);
        Assert.Equal(ContainerState.Exited, _fixture.Runtime.Find(_fixture.ContainerId).State);
    }

    [Fact]
    public async Task A_network_that_is_not_ready_at_take_over_does_not_fail_the_task()
    {
        var failures = 1;
        _fixture.Network.Attaching = (_, _) => failures-- > 0 ? throw new ClusterException(ErrorKind.Unavailable, "not yet") : Task.CompletedTask;
        _fixture.Runtime.Put(_fixture.Left(ContainerState.Running));
        _fixture.Start();
        await _fixture.Clock.UntilArmedAsync(1, Cancelled);
        _fixture.Clock.Advance(TimeSpan.FromSeconds(1));

        await _fixture.UntilAsync(TaskState.Running);
        Assert.Equal(ContainerState.Running, _fixture.Runtime.Find(_fixture.ContainerId).State);
    }

    [Fact]
    public async Task A_running_container_that_somebody_removed_fails_its_task()
    {
        _fixture.Start();
        await _fixture.UntilAsync(TaskState.Running);

        await _fixture.Runtime.RemoveAsync(_fixture.ContainerId, force: true, Cancelled);

        Assert.Contains("No such container", (await _fixture.UntilAsync(TaskState.Failed)).Err, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    /// <summary>The runner watches the container's health: its stream of events is open.</summary>
    private async Task StartedAsync() =>
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => _fixture.Runtime.Followers > 0, TimeSpan.FromSeconds(10)), Cancelled));
}
