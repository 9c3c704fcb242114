using Skep.Model.Objects;

namespace Skep.SimulationTests.Orchestration;

/// <summary>Nodes with the classic data plane have a load balancer with an address of its own on each network of their tasks.</summary>
public sealed class BalancerAddressTests
{
    private readonly SimulatedSwarm _swarm = new(1);

    [Fact]
    public async Task A_classic_node_gets_an_address_with_its_first_task_on_a_network_and_gives_it_back_with_the_last()
    {
        await _swarm.StartAsync(2);
        await _swarm.SetNodeAsync("node1", n => n with { Description = (n.Description ?? new NodeDescription()) with { DataPlane = NodeDescription.ClassicDataPlane } });
        await _swarm.CreateAsync(Wishes.Network("net"));
        await _swarm.CreateServiceAsync("web", s => s.Replicas(4).On("net"));
        await _swarm.SettleAsync();

        var address = Assert.Single(_swarm.View.Nodes["node1"].BalancerAddresses!);
        Assert.Equal("net", address.Key);
        Assert.DoesNotContain(address.Value, _swarm.View.Tasks.Values.SelectMany(t => t.Attachments).SelectMany(a => a.Addresses));
        Assert.DoesNotContain(address.Value, _swarm.View.Services["web"].Endpoint!.VirtualIPs.Select(v => v.Addr));
        Assert.Null(_swarm.View.Nodes["node2"].BalancerAddresses);

        await _swarm.NewLeaderAsync();
        await _swarm.UpdateServiceAsync("web", s => s.Replicas(6));
        await _swarm.SettleAsync();
        Assert.Equal(address, Assert.Single(_swarm.View.Nodes["node1"].BalancerAddresses!));
        Assert.DoesNotContain(address.Value, _swarm.View.Tasks.Values.SelectMany(t => t.Attachments).SelectMany(a => a.Addresses));

        await _swarm.UpdateServiceAsync("web", s => s.Replicas(0));
        await _swarm.SettleAsync();
        Assert.Null(_swarm.View.Nodes["node1"].BalancerAddresses);
    }
}
