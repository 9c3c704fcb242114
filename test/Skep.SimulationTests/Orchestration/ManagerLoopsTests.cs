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

public sealed class ManagerLoopsTests
{
    [Fact]
    public async Task The_running_loop_places_a_service_and_ends_quietly_when_told()
    {
        var store = new FakeClusterStore();
        var clock = new ManualClock();
        var now = clock.GetUtcNow();
        var node = new SwarmNode { Id = "node1", Status = new NodeStatus { State = NodeState.Ready } };
        await store.CommitAsync(Bootstrap.FirstTransaction(new SwarmCluster { Id = "cluster" }, node, now), TestContext.Current.CancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stopping.CancelAfter(TimeSpan.FromSeconds(20));
        var loop = new ManagerLoops(store, clock, NullLogger<ManagerLoops>.Instance).RunAsync(stopping.Token);
        var seen = store.SnapshotAndFollow();
        await store.CommitAsync(new StoreTransaction().Create(new SwarmService { Id = "web", Spec = new ServiceSpec { Name = "web" } }), stopping.Token);
        await foreach (var commit in seen.Commits.WithCancellation(stopping.Token))
        {
            if (commit.View.Tasks.Values.Any(t => t is { NodeId: "node1", Status.State: TaskState.Assigned }))
            {
                break;
            }
        }

        Assert.Equal("10.0.0.2/24", store.Current.Nodes["node1"].IngressAddress);
        Assert.Equal(4096u, store.Current.Networks.Values.Single().Vni);
        await stopping.CancelAsync();
        await loop;
    }
}
