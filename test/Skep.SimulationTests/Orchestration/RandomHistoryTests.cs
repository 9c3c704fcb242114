using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.SimulationTests.Orchestration;

/// <summary>Seeded histories of services, updates, failures, lost nodes and changes of leader. A failing run names its seed.</summary>
public sealed class RandomHistoryTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 25)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_happens_the_rules_hold_and_in_the_end_every_wish_is_met(int seed)
    {
        var swarm = new SimulatedSwarm(seed);
        var rules = new Rules(seed);
        await swarm.StartAsync(4);
        swarm.OnCommit = rules.Check;
        await swarm.CreateAsync(Wishes.Network("net0"));
        await swarm.CreateAsync(Wishes.Network("net1", "10.77.0.0/26"));
        swarm.Fails = _ => swarm.Chance(12) == 0;
        await swarm.CreateServiceAsync("always", s => s.Replicas(5).Image("v0").On("net1"));
        for (var step = 0; step < 60; step++)
        {
            await ActAsync(swarm);
            swarm.Clock.Advance(TimeSpan.FromMilliseconds(1 + swarm.Chance(3000)));
            await swarm.PassAsync();
            if (swarm.Chance(3) > 0)
            {
                await swarm.AgentsAsync();
            }
        }

        await CalmDownAsync(swarm);
        Assert.True(rules.MostTasks > 4, $"seed {seed}: the history is trivial");
        foreach (var service in swarm.View.Services.Values)
        {
            var wanted = service.Spec.Mode.Global is not null ? 4 : (int)service.Spec.Mode.Replicated!.Replicas!.Value;
            Assert.True(wanted == swarm.Running(service.Id).Count(), $"seed {seed}: {service.Id} has {swarm.Running(service.Id).Count()} of {wanted}");
            Assert.All(swarm.Running(service.Id), t => Assert.Equal(service.Spec.TaskTemplate.ContainerSpec!.Image, t.Spec.ContainerSpec!.Image));
        }
    }

    private static async Task ActAsync(SimulatedSwarm swarm)
    {
        var id = $"s{swarm.Chance(4)}";
        var node = $"node{1 + swarm.Chance(4)}";
        var there = swarm.View.Services.GetValueOrDefault(id);
        switch (swarm.Chance(10))
        {
            case 0 or 1 when there is null:
                var everywhere = swarm.Chance(4) == 0;
                var startFirst = swarm.Chance(2) == 0;
                var count = (ulong)swarm.Chance(4);
                await swarm.CreateServiceAsync(id, s => (everywhere ? s.Everywhere() : s.Replicas(count)).Image("v0").On("net0", "net1") with
                {
                    UpdateConfig = new UpdateConfig { Parallelism = 1, FailureAction = "continue", Order = startFirst ? "start-first" : "stop-first" },
                    EndpointSpec = new EndpointSpec { Ports = [new PortConfig { TargetPort = 80 }] },
                });
                break;
            case 2 or 3 when there is not null:
                var image = $"v{swarm.Chance(5)}";
                await swarm.UpdateServiceAsync(id, s => s.Image(image));
                break;
            case 4 when there?.Spec.Mode.Replicated is not null:
                var replicas = (ulong)swarm.Chance(4);
                await swarm.UpdateServiceAsync(id, s => s.Replicas(replicas));
                break;
            case 5 when there is not null && swarm.Chance(3) == 0:
                await swarm.RemoveAsync(there);
                break;
            case 6 when swarm.Silent.Count == 0:
                swarm.Silent.Add(node);
                await swarm.SetNodeAsync(node, n => n with { Status = n.Status.Down() });
                break;
            case 7:
                await HealAsync(swarm);
                break;
            case 8:
                var drained = swarm.View.Nodes[node].Spec.Availability == NodeSpec.Drain;
                await swarm.SetNodeAsync(node, n => n with { Spec = n.Spec with { Availability = drained ? NodeSpec.Active : NodeSpec.Drain } });
                break;
            case 9:
                await swarm.NewLeaderAsync();
                break;
        }
    }

    private static async Task HealAsync(SimulatedSwarm swarm)
    {
        swarm.Silent.Clear();
        foreach (var down in swarm.View.Nodes.Values.Where(n => n.Status.State == NodeState.Down).ToArray())
        {
            await swarm.SetNodeAsync(down.Id, n => n with { Status = n.Status with { State = NodeState.Ready } });
        }
    }

    private static async Task CalmDownAsync(SimulatedSwarm swarm)
    {
        swarm.Fails = _ => false;
        await HealAsync(swarm);
        foreach (var node in swarm.View.Nodes.Values.Where(n => n.Spec.Availability != NodeSpec.Active).ToArray())
        {
            await swarm.SetNodeAsync(node.Id, n => n with { Spec = n.Spec with { Availability = NodeSpec.Active } });
        }

        for (var i = 0; i < 8; i++)
        {
            await swarm.SettleAsync();
            await swarm.AdvanceAsync(TimeSpan.FromSeconds(20));
        }
    }

    /// <summary>What must be true after every commit.</summary>
    private sealed class Rules(int seed)
    {
        public int MostTasks { get; private set; }

        public void Check(StoreCommit commit)
        {
            MostTasks = Math.Max(MostTasks, commit.View.Tasks.Count);
            foreach (var change in commit.Events)
            {
                if (change is { Old: SwarmTask old, New: SwarmTask now })
                {
                    Assert.True(now.Status.State >= old.Status.State, $"seed {seed}: {now.Id} went from {old.Status.State} to {now.Status.State}");
                    Assert.True(now.DesiredState >= old.DesiredState, $"seed {seed}: {now.Id} was wanted {old.DesiredState}, then {now.DesiredState}");
                }
            }

            var addresses = commit.View.Tasks.Values.Where(t => t.Status.State <= TaskState.Running)
                .SelectMany(t => t.Attachments.SelectMany(a => a.Addresses.Select(text => (a.NetworkId, text, Owner: t.Id))))
                .Concat(commit.View.Services.Values.SelectMany(s => (s.Endpoint?.VirtualIPs ?? []).Select(v => (v.NetworkID, v.Addr, Owner: s.Id))))
                .Concat(commit.View.Nodes.Values.Where(n => n.IngressAddress is not null)
                    .Select(n => (commit.View.Networks.Values.Single(net => net.Spec.Ingress).Id, n.IngressAddress!, Owner: n.Id)));
            foreach (var shared in addresses.GroupBy(a => (a.Item1, a.Item2)).Where(g => g.Count() > 1))
            {
                Assert.Fail($"seed {seed}: {shared.Key} belongs to {string.Join(" and ", shared.Select(s => s.Owner))}");
            }

            var ports = commit.View.Services.Values.SelectMany(s => (s.Endpoint?.Ports ?? []).Select(p => p.PublishedPort));
            Assert.Equal(ports.Count(), ports.Distinct().Count());

            // Only a task that waits for its predecessor no longer than a minute may run beside it; down nodes cannot be asked.
            foreach (var slot in commit.View.Tasks.Values.Where(t => t.DesiredState <= TaskState.Running).GroupBy(t => (t.ServiceId, t.Slot, t.Slot == 0 ? t.NodeId : "")))
            {
                Assert.True(slot.Count() <= 2, $"seed {seed}: {slot.Count()} tasks are wanted in slot {slot.Key}");
            }
        }
    }
}
