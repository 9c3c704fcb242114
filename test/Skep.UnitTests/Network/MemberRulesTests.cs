using System.Collections.Immutable;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network.Desired;

namespace Skep.UnitTests.Network;

public sealed class MemberRulesTests
{
    [Theory]
    [InlineData(EndpointState.Active)]
    [InlineData(EndpointState.Starting)]
    [InlineData(EndpointState.Draining)]
    public void A_task_is_a_member_of_its_service_as_long_as_it_is_there(EndpointState state)
    {
        var space = DesiredState.Compute(PlanExample.Node(PlanExample.DemoPlan(state, EndpointState.Active))).Spaces.Single(s => s.Name == "2-demo00id").Merged();
        Assert.Equal(["10.0.1.2 . 10.0.1.3", "10.0.1.2 . 10.0.1.4"], Elements(space, "members"));
    }

    [Fact]
    public void A_published_port_has_its_tasks_and_their_port_as_members()
    {
        var host = DesiredState.Compute(PlanExample.Node()).Spaces[0].Merged();
        Assert.Equal(["tcp . 8000 . 10.0.0.5 . 3000", "tcp . 8000 . 10.0.0.6 . 3000"], Elements(host, "members"));
        Assert.Empty(Elements(host, "member-ranges"));
    }

    [Fact]
    public void A_range_of_ports_that_tasks_listen_on_themselves_is_one_element_for_each_task()
    {
        var host = Publishing(p => new PortConfig { Protocol = "udp", PublishedPort = p, TargetPort = p });
        Assert.Equal(["udp . 8000-8002 . 10.0.0.5", "udp . 8000-8002 . 10.0.0.6"], Elements(host, "member-ranges"));
        Assert.Empty(Elements(host, "members"));
    }

    [Fact]
    public void A_range_that_is_shifted_is_one_for_each_port()
    {
        var host = Publishing(p => new PortConfig { PublishedPort = p, TargetPort = p - 1000 });
        Assert.Equal(
            from port in new[] { 8000, 8001, 8002 } from task in new[] { 5, 6 } select $"tcp . {port} . 10.0.0.{task} . {port - 1000}",
            Elements(host, "members"));
    }

    private static WantedSpace Publishing(Func<uint, PortConfig> port)
    {
        var node = PlanExample.Node();
        var ingress = node.Plan.Networks[PlanExample.Ingress.Id];
        var service = ingress.Services["s1"] with { Ports = [port(8000), port(8001), port(8002)] };
        var plan = node.Plan with { Networks = node.Plan.Networks.SetItem(PlanExample.Ingress.Id, ingress with { Services = ingress.Services.SetItem("s1", service) }) };
        return DesiredState.Compute(node with { Plan = plan }).Spaces[0].Merged();
    }

    private static ImmutableArray<string> Elements(WantedSpace space, string set) => space.Tables.Single(t => t is { Family: "ip", Name: WantedTable.Ours }).Sets.Single(s => s.Name == set).Elements;
}
