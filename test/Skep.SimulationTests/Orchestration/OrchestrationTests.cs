using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.SimulationTests.Orchestration;

public sealed class OrchestrationTests
{
    private readonly SimulatedSwarm _swarm = new(1);

    [Fact]
    public async Task A_new_service_is_assigned_in_one_commit_with_its_addresses()
    {
        await _swarm.StartAsync(3);
        await _swarm.CreateAsync(Wishes.Network("net"));
        await _swarm.SettleAsync();
        var before = _swarm.View.Revision;
        await _swarm.CreateServiceAsync("web", s => s.Replicas(6).On("net").Publishes(new PortConfig { TargetPort = 80, PublishedPort = 8080 }));
        await _swarm.PassAsync();

        Assert.Equal(before + 2, _swarm.View.Revision);
        var tasks = _swarm.View.TasksOfService("web").ToArray();
        Assert.Equal(6, tasks.Length);
        Assert.All(tasks, t => Assert.Equal(TaskState.Assigned, t.Status.State));
        Assert.All(tasks, t => Assert.Equal(2, t.Attachments.Count));
        Assert.All(tasks.GroupBy(t => t.NodeId), g => Assert.Equal(2, g.Count()));
        Assert.Equal<ulong>([1, 2, 3, 4, 5, 6], tasks.Select(t => t.Slot).Order());
        Assert.Equal(2, _swarm.View.Services["web"].Endpoint!.VirtualIPs.Count);
        Assert.Equal("10.0.1.0/24", _swarm.View.Networks["net"].Subnets[0].Subnet);
        Assert.Equal("10.0.1.1", _swarm.View.Networks["net"].Subnets[0].Gateway);
        Assert.Equal(4097u, _swarm.View.Networks["net"].Vni);
    }

    [Fact]
    public async Task Tasks_of_a_lost_node_start_elsewhere_without_the_restart_delay()
    {
        await _swarm.StartAsync(3);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(6));
        await _swarm.SettleAsync();
        _swarm.Silent.Add("node1");
        await _swarm.SetNodeAsync("node1", n => n with { Status = n.Status.Down() });
        var start = _swarm.Clock.GetUtcNow();
        await _swarm.SettleAsync();

        Assert.Equal(6, _swarm.Running("web").Count());
        Assert.DoesNotContain(_swarm.Running("web"), t => t.NodeId == "node1");
        Assert.True(_swarm.Clock.GetUtcNow() - start < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_drained_node_is_emptied_and_a_task_waits_only_for_its_predecessor()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(4));
        await _swarm.SettleAsync();
        await _swarm.SetNodeAsync("node2", n => n with { Spec = n.Spec with { Availability = NodeSpec.Drain } });
        await _swarm.SettleAsync();
        Assert.Equal(4, _swarm.Running("web").Count(t => t.NodeId == "node1"));
    }

    [Fact]
    public async Task A_task_that_fails_is_restarted_after_the_delay_and_no_sooner_even_by_a_new_leader()
    {
        await _swarm.StartAsync(1);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(1));
        await _swarm.SettleAsync();
        var first = Assert.Single(_swarm.Running("web")).Id;
        _swarm.Fails = t => t.Id == first;
        await _swarm.SettleAsync();
        Assert.Empty(_swarm.Running("web"));
        await _swarm.NewLeaderAsync();
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.Empty(_swarm.Running("web"));
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(1.1));
        Assert.Single(_swarm.Running("web"));
    }

    [Fact]
    public async Task A_task_that_cannot_be_prepared_while_it_waits_has_a_successor_only_after_the_delay()
    {
        await _swarm.StartAsync(1);
        _swarm.Rejects = _ => true;
        await _swarm.CreateServiceAsync("web", s => s.Replicas(1));
        await _swarm.SettleAsync();
        Assert.Equal(2, _swarm.View.TasksOfService("web").Count());
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.Equal(2, _swarm.View.TasksOfService("web").Count());
        await _swarm.NewLeaderAsync();
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(1.1));
        Assert.Equal(3, _swarm.View.TasksOfService("web").Count());
        _swarm.Rejects = _ => false;
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(5.1));
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(5.1));
        Assert.Single(_swarm.Running("web"));
    }

    [Fact]
    public async Task Attempts_are_limited_and_the_slot_stays_taken()
    {
        await _swarm.StartAsync(1);
        _swarm.Fails = _ => true;
        await _swarm.CreateServiceAsync("web", s => s.Replicas(1).Restarts(new RestartPolicy { Condition = "any", Delay = 0, MaxAttempts = 3 }));
        await _swarm.SettleAsync();
        Assert.Equal(4, _swarm.View.TasksOfService("web").Count());
        await _swarm.NewLeaderAsync();
        await _swarm.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(4, _swarm.View.TasksOfService("web").Count());
    }

    [Fact]
    public async Task History_is_kept_to_its_limit()
    {
        await _swarm.StartAsync(1);
        var failures = 0;
        _swarm.Fails = _ => failures++ < 20;
        await _swarm.CreateServiceAsync("web", s => s.Replicas(1).Restarts(new RestartPolicy { Delay = 0 }));
        await _swarm.SettleAsync();
        Assert.Single(_swarm.Running("web"));
        Assert.Equal(5, _swarm.View.TasksOfService("web").Count());
    }

    [Fact]
    public async Task A_global_service_follows_its_nodes()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("agent", s => s.Everywhere().Where("node.labels.zone != b"));
        await _swarm.SettleAsync();
        Assert.Equal(["node1", "node2"], _swarm.Running("agent").Select(t => t.NodeId).Order());
        await _swarm.AddNodeAsync("node3");
        await _swarm.SetNodeAsync("node1", n => n with { Spec = n.Spec with { Labels = new Dictionary<string, string> { ["zone"] = "b" } } });
        await _swarm.SettleAsync();
        Assert.Equal(["node2", "node3"], _swarm.Running("agent").Select(t => t.NodeId).Order());
        await _swarm.SetNodeAsync("node1", n => n with { Spec = n.Spec with { Labels = new Dictionary<string, string>() } });
        await _swarm.RemoveAsync(_swarm.View.Nodes["node2"]);
        await _swarm.SettleAsync();
        Assert.Equal(["node1", "node3"], _swarm.Running("agent").Select(t => t.NodeId).Order());
        Assert.DoesNotContain(_swarm.View.Tasks.Values, t => t.NodeId == "node2");
    }

    [Fact]
    public async Task A_removed_service_leaves_nothing_behind()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(4).Publishes(new PortConfig { TargetPort = 80 }));
        await _swarm.SettleAsync();
        Assert.Equal(30000u, _swarm.View.Services["web"].Endpoint!.Ports[0].PublishedPort);
        await _swarm.RemoveAsync(_swarm.View.Services["web"]);
        await _swarm.SettleAsync();
        Assert.Empty(_swarm.View.Tasks);
    }

    [Fact]
    public async Task Scaling_down_takes_from_the_fullest_node()
    {
        await _swarm.StartAsync(3);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(9));
        await _swarm.SettleAsync();
        await _swarm.UpdateServiceAsync("web", s => s.Replicas(3));
        await _swarm.SettleAsync();
        Assert.Equal(["node1", "node2", "node3"], _swarm.Running("web").Select(t => t.NodeId).Order());
        Assert.Equal(3, _swarm.View.Tasks.Count);
        Assert.Null(_swarm.View.Services["web"].UpdateStatus);
    }

    [Fact]
    public async Task A_node_that_loses_its_label_loses_its_tasks()
    {
        await _swarm.StartAsync(2);
        await _swarm.SetNodeAsync("node1", n => n with { Spec = n.Spec with { Labels = new Dictionary<string, string> { ["ssd"] = "yes" } } });
        await _swarm.CreateServiceAsync("db", s => s.Replicas(2).Where("node.labels.ssd==yes"));
        await _swarm.SettleAsync();
        Assert.Equal(2, _swarm.Running("db").Count(t => t.NodeId == "node1"));
        await _swarm.SetNodeAsync("node1", n => n with { Spec = n.Spec with { Labels = new Dictionary<string, string>() } });
        await _swarm.SettleAsync();
        Assert.Empty(_swarm.Running("db"));
        Assert.All(
            _swarm.View.TasksOfService("db").Where(t => t.DesiredState <= TaskState.Running),
            t => Assert.Equal("no suitable node (scheduling constraints not satisfied on 2 nodes)", t.Status.Err));
        await _swarm.SetNodeAsync("node2", n => n with { Spec = n.Spec with { Labels = new Dictionary<string, string> { ["ssd"] = "yes" } } });
        await _swarm.SettleAsync();
        Assert.Equal(2, _swarm.Running("db").Count(t => t.NodeId == "node2"));
    }

    [Fact]
    public async Task A_day_after_its_node_went_down_a_task_is_given_up()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(2));
        await _swarm.SettleAsync();
        _swarm.Silent.Add("node1");
        await _swarm.SetNodeAsync("node1", n => n with { Status = n.Status.Down() });
        await _swarm.SettleAsync();
        Assert.Contains(_swarm.View.Tasks.Values, t => t is { NodeId: "node1", Status.State: TaskState.Running });
        await _swarm.AdvanceAsync(TimeSpan.FromHours(24.1));
        Assert.Contains(_swarm.View.Tasks.Values, t => t is { NodeId: "node1", Status.State: TaskState.Orphaned });
    }
}
