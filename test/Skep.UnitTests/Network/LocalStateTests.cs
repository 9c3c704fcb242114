using System.Net;
using Skep.Network.Desired;
using Skep.Network.Local;

namespace Skep.UnitTests.Network;

public sealed class LocalStateTests
{
    [Fact]
    public void A_sandbox_keeps_its_choices_and_a_new_one_takes_the_first_free()
    {
        var one = PlanExample.Request(PlanExample.Demo);
        var two = one with { ContainerId = new string('b', 64) };
        var state = new LocalState { GatewaySubnet = "172.18.0.0/16" }.WithSandbox(one, []).WithSandbox(two, []);
        Assert.Equal(("172.18.0.3/16", 1, 0), Choices(state, one.ContainerId));
        Assert.Equal(("172.18.0.4/16", 2, 1), Choices(state, two.ContainerId));

        state = state with { Sandboxes = state.Sandboxes.Remove(one.ContainerId) };
        Assert.Equal(("172.18.0.4/16", 2, 1), Choices(state.WithSandbox(two, []), two.ContainerId));
        Assert.Equal(("172.18.0.3/16", 1, 0), Choices(state.WithSandbox(one, []), one.ContainerId));

        static (string?, int, int) Choices(LocalState state, string id) =>
            (state.Sandboxes[id].GatewayAddress, state.Sandboxes[id].Cables[PlanExample.Ingress.Id], state.Sandboxes[id].Cables[PlanExample.Demo.Id]);
    }

    [Fact]
    public void Choices_that_are_on_no_disk_keep_to_the_containers_that_are()
    {
        var one = PlanExample.Request(PlanExample.Demo);
        var two = one with { ContainerId = new string('b', 64) };
        var durable = new LocalState { GatewaySubnet = "172.18.0.0/16" }.WithSandbox(one, []);
        var wished = durable.WithSandbox(two, []).WithNumbers(["a"]);

        Assert.Equal([two.ContainerId], wished.NotIn(durable).Select(s => s.Request.ContainerId));
        Assert.Equal([one.ContainerId], wished.Within(durable).Sandboxes.Keys);
        Assert.Equal(1, wished.Within(durable).SpaceNumbers["a"]);

        // What is no longer wished does not come back, and of another request for a known container the last that was kept holds.
        var gone = wished with { Sandboxes = wished.Sandboxes.Remove(one.ContainerId) };
        Assert.Empty(gone.Within(durable).Sandboxes);
        var other = durable.WithSandbox(one with { Name = "other" }, []);
        Assert.Same(durable.Sandboxes[one.ContainerId], other.Within(durable).Sandboxes[one.ContainerId]);
        Assert.Single(other.NotIn(durable));
    }

    [Fact]
    public void Namespaces_are_numbered_in_the_order_in_which_networks_come()
    {
        var state = new LocalState().WithNumbers(["b"]).WithNumbers(["a", "b"]);
        Assert.Equal((2, 1), (state.SpaceNumbers["a"], state.SpaceNumbers["b"]));
        Assert.Equal(1, state.WithNumbers(["a", "c"]).SpaceNumbers["c"]);
        Assert.Equal("1-p3mwz3oli6", SpaceNames.OfNetwork(1, "p3mwz3oli6uvw0123456789ab"));
    }

    [Fact]
    public void The_gateway_bridge_keeps_off_the_hosts_routes()
    {
        Assert.Equal("172.18.0.0/16", GatewaySubnets.Choose([IPNetwork.Parse("10.0.0.0/8")], [])!.Value.ToString());
        Assert.Equal("172.20.0.0/16", GatewaySubnets.Choose([IPNetwork.Parse("172.18.4.0/24"), IPNetwork.Parse("172.19.0.0/16")], [])!.Value.ToString());
        Assert.Equal("10.20.1.0/24", GatewaySubnets.Choose([IPNetwork.Parse("10.20.0.0/24")], [IPNetwork.Parse("10.20.0.0/24"), IPNetwork.Parse("10.20.1.0/24")])!.Value.ToString());
        Assert.Equal("192.168.16.0/20", GatewaySubnets.Choose([IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.1.0/24")], [])!.Value.ToString());
    }
}
