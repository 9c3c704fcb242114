using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.SimulationTests.Orchestration;

public sealed class UpdateTests
{
    private readonly SimulatedSwarm _swarm = new(1);

    [Theory]
    [InlineData("stop-first", 4)]
    [InlineData("start-first", 6)]
    public async Task An_update_replaces_slot_by_slot_and_completes(string order, int most)
    {
        await _swarm.StartAsync(3);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(4).Image("one") with { UpdateConfig = new UpdateConfig { Parallelism = 2, Order = order } });
        await _swarm.SettleAsync();
        var (peak, low) = (0, int.MaxValue);
        _swarm.OnCommit = commit =>
        {
            var up = commit.View.TasksOfService("web").Count(t => t.Status.State is TaskState.Running or TaskState.Starting);
            (peak, low) = (Math.Max(peak, up), Math.Min(low, up));
        };
        await _swarm.UpdateServiceAsync("web", s => s.Image("two"));
        await _swarm.PassAsync();
        Assert.Equal("update in progress", _swarm.View.Services["web"].UpdateStatus!.Message);
        await _swarm.SettleAsync();
        Assert.Equal(4, _swarm.Running("web").Count(t => t.Spec.ContainerSpec!.Image == "two"));
        Assert.Equal(UpdateState.Updating, _swarm.View.Services["web"].UpdateStatus!.State);
        Assert.True(peak <= most, $"{peak} tasks were up at once");
        Assert.True(low >= (order == "stop-first" ? 2 : 4), $"only {low} tasks were up");
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(5.1));
        var status = _swarm.View.Services["web"].UpdateStatus!;
        Assert.Equal((UpdateState.Completed, "update completed"), (status.State, status.Message));
        Assert.NotNull(status.CompletedAt);
    }

    [Fact]
    public async Task The_delay_lies_between_two_slots_also_across_a_change_of_leader()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(2).Image("one") with { UpdateConfig = new UpdateConfig { Parallelism = 1, Delay = 10_000_000_000 } });
        await _swarm.SettleAsync();
        await _swarm.UpdateServiceAsync("web", s => s.Image("two"));
        await _swarm.SettleAsync();
        Assert.Single(_swarm.Running("web"), t => t.Spec.ContainerSpec!.Image == "two");
        await _swarm.NewLeaderAsync();
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(9));
        Assert.Single(_swarm.Running("web"), t => t.Spec.ContainerSpec!.Image == "two");
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(1.1));
        Assert.Equal(2, _swarm.Running("web").Count(t => t.Spec.ContainerSpec!.Image == "two"));
    }

    [Theory]
    [InlineData("stop-first")]
    [InlineData("start-first")]
    public async Task An_update_whose_tasks_fail_is_paused_and_the_rest_keeps_running(string order)
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(4).Image("one") with { UpdateConfig = new UpdateConfig { Parallelism = 1, Order = order } });
        await _swarm.SettleAsync();
        _swarm.Fails = t => t.Spec.ContainerSpec!.Image == "bad";
        await _swarm.UpdateServiceAsync("web", s => s.Image("bad"));
        await _swarm.SettleAsync();
        var status = _swarm.View.Services["web"].UpdateStatus!;
        Assert.Equal(UpdateState.Paused, status.State);
        Assert.StartsWith("update paused due to failure or early termination of task id", status.Message, StringComparison.Ordinal);
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(order == "stop-first" ? 3 : 4, _swarm.Running("web").Count(t => t.Spec.ContainerSpec!.Image == "one"));
        await _swarm.UpdateServiceAsync("web", s => s.Image("three"));
        await _swarm.SettleAsync();
        Assert.Equal(4, _swarm.Running("web").Count(t => t.Spec.ContainerSpec!.Image == "three"));
    }

    [Fact]
    public async Task A_failed_update_rolls_back_when_it_is_told_to()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(4).Image("one") with
        {
            UpdateConfig = new UpdateConfig { Parallelism = 1, FailureAction = "rollback" },
        });
        await _swarm.SettleAsync();
        _swarm.Fails = t => t.Spec.ContainerSpec!.Image == "bad";
        await _swarm.UpdateServiceAsync("web", s => s.Image("bad"));
        await _swarm.SettleAsync();
        Assert.Equal(4, _swarm.Running("web").Count(t => t.Spec.ContainerSpec!.Image == "one"));
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(6));
        Assert.Equal("rollback completed", _swarm.View.Services["web"].UpdateStatus!.Message);
    }

    [Fact]
    public async Task What_does_not_concern_tasks_replaces_none()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(2).Image("one"));
        await _swarm.SettleAsync();
        var before = _swarm.View.Tasks.Keys.Order().ToArray();
        await _swarm.UpdateServiceAsync("web", s => s with
        {
            Labels = new Dictionary<string, string> { ["a"] = "b" },
            TaskTemplate = s.TaskTemplate with
            {
                Resources = new ResourceRequirements { Limits = new(), Reservations = new() },
                RestartPolicy = new RestartPolicy { Condition = "any", Delay = 5_000_000_000, MaxAttempts = 0 },
                Placement = new Placement { Constraints = ["node.id!=other"] },
            },
            EndpointSpec = new EndpointSpec { Mode = "vip" },
        });
        await _swarm.SettleAsync();
        Assert.Equal(before, _swarm.View.Tasks.Keys.Order());
        Assert.Null(_swarm.View.Services["web"].UpdateStatus);
        await _swarm.UpdateServiceAsync("web", s => s with { TaskTemplate = s.TaskTemplate with { ForceUpdate = 1 } });
        await _swarm.SettleAsync();
        Assert.All(_swarm.Running("web"), t => Assert.DoesNotContain(t.Id, before));
    }
}
