using System.Diagnostics;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.SimulationTests.Orchestration;

public sealed class SchedulingTests(ITestOutputHelper output)
{
    private readonly SimulatedSwarm _swarm = new(1);

    [Fact]
    public async Task Preferences_give_each_value_of_the_label_an_equal_share()
    {
        await _swarm.StartAsync(4);
        foreach (var node in new[] { "node1", "node2", "node3", "node4" })
        {
            await _swarm.SetNodeAsync(node, n => n with { Spec = n.Spec with { Labels = new Dictionary<string, string> { ["zone"] = node == "node4" ? "b" : "a" } } });
        }

        await _swarm.CreateServiceAsync("web", s => s.Replicas(12) with
        {
            TaskTemplate = new TaskSpec { Placement = new Placement { Preferences = [new PlacementPreference { Spread = new SpreadOver { SpreadDescriptor = "node.labels.zone" } }] } },
        });
        await _swarm.SettleAsync();
        Assert.Equal(6, _swarm.Running("web").Count(t => t.NodeId == "node4"));
        Assert.Equal(2, _swarm.Running("web").Count(t => t.NodeId == "node1"));
    }

    [Fact]
    public async Task What_does_not_fit_says_why_and_is_placed_when_room_comes()
    {
        await _swarm.StartAsync(3);
        var reserve = new ResourceRequirements { Reservations = new ResourceAmounts { NanoCPUs = 3_000_000_000 } };
        await _swarm.CreateServiceAsync("big", s => s.Replicas(4) with { TaskTemplate = new TaskSpec { Resources = reserve } });
        await _swarm.SetNodeAsync("node3", n => n with { Spec = n.Spec with { Availability = NodeSpec.Pause } });
        await _swarm.SettleAsync();
        Assert.Equal(2, _swarm.Running("big").Count());
        var waits = _swarm.View.TasksOfService("big").First(t => t.Status.State == TaskState.Pending);
        Assert.Equal("no suitable node (insufficient resources on 2 nodes; 1 node not available for new tasks)", waits.Status.Err);
        await _swarm.SetNodeAsync("node3", n => n with { Spec = n.Spec with { Availability = NodeSpec.Active } });
        await _swarm.SettleAsync();
        Assert.Equal(3, _swarm.Running("big").Count());
    }

    [Fact]
    public async Task Host_ports_and_the_most_per_node_are_kept()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateServiceAsync("host", s => s.Replicas(3).Publishes(new PortConfig { TargetPort = 80, PublishedPort = 80, PublishMode = PortConfig.Host }));
        await _swarm.CreateServiceAsync("few", s => s.Replicas(3) with { TaskTemplate = new TaskSpec { Placement = new Placement { MaxReplicas = 1 } } });
        await _swarm.SettleAsync();
        Assert.Equal(2, _swarm.Running("host").Count());
        Assert.Contains(_swarm.View.TasksOfService("host"), t => t.Status.Err == "no suitable node (host-mode port already in use on 2 nodes)");
        Assert.Contains(_swarm.View.TasksOfService("few"), t => t.Status.Err == "no suitable node (max replicas per node limit exceed)");
    }

    [Fact]
    public async Task A_network_without_free_addresses_is_named_on_the_task_and_room_is_used_when_it_comes()
    {
        await _swarm.StartAsync(2);
        await _swarm.CreateAsync(Wishes.Network("tiny", "10.50.0.0/29"));
        await _swarm.SettleAsync();
        await _swarm.CreateAsync(Wishes.Network("clash", "10.50.0.0/24"));
        await _swarm.CreateServiceAsync("a", s => s.Replicas(5).On("tiny"));
        await _swarm.CreateServiceAsync("b", s => s.Replicas(1).On("clash"));
        await _swarm.SettleAsync();
        Assert.Equal(4, _swarm.Running("a").Count());
        Assert.Contains(_swarm.View.TasksOfService("a"), t => t.Status.Err == "network tiny: 5 of 5 IPv4 addresses in use: 4 tasks, 1 service");
        Assert.Equal("Pool overlaps with other one on this address space", _swarm.View.Networks["clash"].AllocationError);
        Assert.Contains("Pool overlaps", Assert.Single(_swarm.View.TasksOfService("b")).Status.Err, StringComparison.Ordinal);
        await _swarm.RemoveAsync(_swarm.View.Services["a"]);
        await _swarm.RemoveAsync(_swarm.View.Networks["tiny"]);
        await _swarm.SettleAsync();
        Assert.Single(_swarm.Running("b"));
    }

    [Fact]
    public async Task Ten_thousand_tasks_are_spread_evenly_over_a_thousand_nodes()
    {
        await _swarm.StartAsync(1000);
        await _swarm.CreateServiceAsync("web", s => s.Replicas(10_000));
        var watch = Stopwatch.StartNew();
        await _swarm.PassAsync();
        output.WriteLine($"orchestrate, place and commit 10000 tasks on 1000 nodes: {watch.ElapsedMilliseconds} ms");
        Assert.All(_swarm.View.TasksOfService("web").GroupBy(t => t.NodeId), g => Assert.Equal(10, g.Count()));
        Assert.Equal(10_000, _swarm.View.Tasks.Values.Count(t => t.Status.State == TaskState.Assigned));
    }
}
