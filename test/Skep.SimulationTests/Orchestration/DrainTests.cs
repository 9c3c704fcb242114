using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.SimulationTests.Orchestration;

/// <summary>No task is stopped while a living node still sends it new flows, whatever happens meanwhile; and none is kept for ever.</summary>
public sealed class DrainTests
{
    private readonly SimulatedSwarm _swarm = new(5);

    [Theory]
    [InlineData("stop-first")]
    [InlineData("start-first")]
    public async Task Every_task_that_an_update_replaces_has_the_receipt_of_all_nodes(string order)
    {
        var drains = await SwarmAsync(order);
        var old = _swarm.Running("web").Select(t => t.Id).ToArray();
        await _swarm.UpdateServiceAsync("web", s => s.Image("two"));
        await _swarm.SettleAsync();

        Assert.All(old, id => Assert.Equal(["node1", "node2", "node3"], drains.Receipts[id]!.Confirmed));
        Assert.True(drains.Waited > 0, "nobody had to wait: the history is trivial");
        Assert.Equal(6, _swarm.Running("web").Count(t => t.Spec.ContainerSpec!.Image == "two"));
    }

    [Fact]
    public async Task A_node_that_never_confirms_is_waited_for_two_seconds_and_named()
    {
        var drains = await SwarmAsync("stop-first");
        drains.Stuck.Add("node3");
        var began = _swarm.Clock.GetUtcNow();
        var old = _swarm.Running("web").Select(t => t.Id).ToArray();
        await _swarm.UpdateServiceAsync("web", s => s.Replicas(3));
        await _swarm.SettleAsync();
        Assert.Empty(drains.Receipts);
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(2));

        Assert.Equal(3, drains.Receipts.Count);
        Assert.All(drains.Receipts.Values, word => Assert.Equal(("node1 node2", "node3"), (string.Join(' ', word!.Confirmed), string.Join(' ', word.Unconfirmed))));
        Assert.InRange(_swarm.Clock.GetUtcNow() - began, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));
        Assert.Equal(6, old.Length);
    }

    [Fact]
    public async Task A_node_that_dies_in_the_middle_is_waited_for_no_longer()
    {
        var drains = await SwarmAsync("stop-first");
        drains.Stuck.Add("node3");
        await _swarm.UpdateServiceAsync("web", s => s.Replicas(3));
        await _swarm.SettleAsync();
        Assert.Empty(drains.Receipts);

        _swarm.Silent.Add("node3");
        await _swarm.SetNodeAsync("node3", n => n with { Status = n.Status.Down() });
        await _swarm.SettleAsync();

        Assert.NotEmpty(drains.Receipts);
        Assert.All(drains.Receipts.Values, word => Assert.Contains("node3", word!.Unconfirmed));
    }

    [Fact]
    public async Task A_change_of_manager_in_the_middle_loses_nothing()
    {
        var drains = await SwarmAsync("start-first");
        drains.Stuck.Add("node2");
        await _swarm.UpdateServiceAsync("web", s => s.Image("two"));
        await _swarm.SettleAsync();
        Assert.Empty(drains.Receipts);

        await _swarm.NewLeaderAsync();
        drains.Restart();
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(3));
        Assert.Empty(drains.Receipts);
        drains.Stuck.Clear();
        await _swarm.SettleAsync();

        Assert.Equal(6, drains.Receipts.Count);
        Assert.All(drains.Receipts.Values, word => Assert.Equal(["node1", "node2", "node3"], word!.Confirmed));
    }

    [Fact]
    public async Task New_tasks_that_fail_drain_no_old_one()
    {
        var drains = await SwarmAsync("start-first");
        _swarm.Fails = t => t.Spec.ContainerSpec!.Image == "bad";
        await _swarm.UpdateServiceAsync("web", s => s.Image("bad"));
        await _swarm.SettleAsync();
        await _swarm.AdvanceAsync(TimeSpan.FromSeconds(20));

        Assert.Empty(drains.Receipts);
        Assert.Equal(6, _swarm.Running("web").Count(t => t.Spec.ContainerSpec!.Image == "one"));
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_happens_no_task_is_stopped_under_a_living_nodes_flows(int seed)
    {
        var swarm = new SimulatedSwarm(seed);
        var drains = await StartAsync(swarm, seed % 2 == 0 ? "start-first" : "stop-first");
        swarm.Fails = t => t.Status.State == TaskState.Starting && swarm.Chance(15) == 0;
        for (var step = 0; step < 60; step++)
        {
            await ActAsync(swarm, drains);
            swarm.Clock.Advance(TimeSpan.FromMilliseconds(1 + swarm.Chance(1500)));
            await swarm.PassAsync();
            drains.Step();
            await swarm.AgentsAsync();
        }

        swarm.Fails = _ => false;
        drains.Stuck.Clear();
        swarm.Silent.Clear();
        foreach (var down in swarm.View.Nodes.Values.Where(n => n.Status.State == NodeState.Down).ToArray())
        {
            await swarm.SetNodeAsync(down.Id, n => n with { Status = n.Status with { State = NodeState.Ready } });
        }

        for (var i = 0; i < 6; i++)
        {
            await swarm.SettleAsync();
            await swarm.AdvanceAsync(TimeSpan.FromSeconds(20));
        }

        Assert.True(drains.Receipts.Count > 3 && drains.Waited > 0, $"seed {seed}: the history is trivial");
        Assert.All(swarm.View.Tasks.Values, t => Assert.True(
            t.DesiredState <= TaskState.Running || t.Status.State > TaskState.Running || t.Status.State < TaskState.Assigned,
            $"seed {seed}: {t.Name} was never stopped"));
    }

    private static async Task ActAsync(SimulatedSwarm swarm, SimulatedDrains drains)
    {
        var node = $"node{1 + swarm.Chance(3)}";
        switch (swarm.Chance(8))
        {
            case 0:
                var image = $"v{swarm.Chance(4)}";
                await swarm.UpdateServiceAsync("web", s => s.Image(image));
                break;
            case 1:
                var count = (ulong)(2 + swarm.Chance(6));
                await swarm.UpdateServiceAsync("web", s => s.Replicas(count));
                break;
            case 2:
                drains.Stuck.Add(node);
                break;
            case 3:
                drains.Stuck.Remove(node);
                break;
            case 4 when swarm.Silent.Count == 0:
                swarm.Silent.Add(node);
                await swarm.SetNodeAsync(node, n => n with { Status = n.Status.Down() });
                break;
            case 5 when swarm.Silent.Count > 0:
                var back = swarm.Silent.Single();
                swarm.Silent.Clear();
                await swarm.SetNodeAsync(back, n => n with { Status = n.Status with { State = NodeState.Ready } });
                break;
            case 6:
                await swarm.NewLeaderAsync();
                drains.Restart();
                break;
        }
    }

    private Task<SimulatedDrains> SwarmAsync(string order) => StartAsync(_swarm, order);

    private static async Task<SimulatedDrains> StartAsync(SimulatedSwarm swarm, string order)
    {
        var drains = swarm.WithDrains();
        await swarm.StartAsync(3);
        drains.Restart();
        await swarm.CreateAsync(Wishes.Network("net1"));
        await swarm.CreateServiceAsync("web", s => s.Replicas(6).Image("one").On("net1") with
        {
            UpdateConfig = new UpdateConfig { Parallelism = 2, Order = order, FailureAction = "pause" },
            EndpointSpec = new EndpointSpec { Ports = [new PortConfig { TargetPort = 80, PublishedPort = 8080 }] },
        });
        await swarm.SettleAsync();
        Assert.Equal(6, swarm.Running("web").Count());
        return drains;
    }
}
