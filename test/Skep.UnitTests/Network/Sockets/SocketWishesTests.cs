using System.Collections.Immutable;
using System.Net;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Network.Desired;
using Skep.Network.Sockets;

namespace Skep.UnitTests.Network.Sockets;

public sealed class SocketWishesTests
{
    private static readonly PlanNetwork s_ingress = new("ingress", "ingress", 4096, [new IpamConfig { Subnet = "10.0.0.0/24" }]) { Ingress = true };
    private static readonly PlanNetwork s_red = new("red", "red", 4101, [new IpamConfig { Subnet = "10.9.0.0/24" }]) { EnableIPv6 = true };
    private static readonly PlanNetwork s_blue = new("blue", "blue", 4102, [new IpamConfig { Subnet = "10.9.0.0/24" }]);

    [Fact]
    public void A_namespace_sees_its_own_networks_and_never_ingress()
    {
        var wanted = Compute(Node(Service("red") with { Vips = ["10.9.0.2/24", "fd09::2/64"] }));
        Assert.Equal([4101u], wanted.Spaces[Short("1")]);
        Assert.Equal([4101u, 4102u], wanted.Spaces[Short("2")]);
        Assert.Equal(["10.9.0.2 of network 4101", "fd09::2 of network 4101"], wanted.Addresses.Keys.Select(k => k.ToString()).Order());
    }

    [Fact]
    public void Backends_are_the_active_ones_and_local_ones_leave_the_others_their_flows()
    {
        var wanted = Compute(Node(Service("red"))).Addresses.Values.Single();
        Assert.Equal(["10.9.0.3", "10.9.0.4"], wanted.Backends.Select(b => b.ToString()));
        Assert.Empty(wanted.Kept);
        Assert.Equal(BalanceMode.RoundRobin, wanted.Mode);

        var local = Compute(Node(Service("red") with { Balance = new PlanBalance(BalanceMode.LocalFirst) })).Addresses.Values.Single();
        Assert.Equal(["10.9.0.3"], local.Backends.Select(b => b.ToString()));
        Assert.Equal(["10.9.0.4"], local.Kept.Select(b => b.ToString()));

        var ejected = Compute(Node(Service("red")) with { Ejected = [IPAddress.Parse("10.9.0.3")] }).Addresses.Values.Single();
        Assert.Equal(["10.9.0.4"], ejected.Backends.Select(b => b.ToString()));
        Assert.Empty(ejected.Kept);
    }

    [Fact]
    public void Equal_wishes_are_equal_and_others_are_not()
    {
        var (one, two) = (Compute(Node(Service("red"))).Addresses.Values.Single(), Compute(Node(Service("red"))).Addresses.Values.Single());
        Assert.Equal(one, two);
        Assert.NotEqual(one, two with { Backends = two.Backends.Reverse().ToImmutableArray() });
        Assert.NotEqual(one, two with { Affinity = TimeSpan.FromSeconds(1) });
    }

    [Fact]
    public void A_change_of_one_endpoint_is_a_change_of_its_service_alone()
    {
        var node = Node(Service("red"));
        var other = new PlanService("red", "other", "other", ["10.9.0.20/24"]);
        var red = node.Plan.Networks["red"];
        red = red with { Services = red.Services.Add("other", other), Endpoints = red.Endpoints.Add("x", new PlanEndpoint("red", "x", "node1", ["10.9.0.21/24"]) { ServiceId = "other", State = EndpointState.Active }) };
        var wishes = new SocketWishes();
        var picture = DesiredPicture.Next(null, With(node, red), null);
        wishes.Update(picture);
        Assert.Equal(2, wishes.Changed.Count);
        wishes.Settle();

        var changed = red with { Endpoints = red.Endpoints.SetItem("b", red.Endpoints["b"] with { State = EndpointState.Draining }) };
        Follow(With(node, changed), new PlanRecordKey(PlanPart.Endpoint, "red", "b"));
        Assert.Equal("10.9.0.2 of network 4101", Assert.Single(wishes.Changed).ToString());
        Assert.Equal(["10.9.0.3"], wishes.Addresses[wishes.Changed.Single()].Backends.Select(b => b.ToString()));
        wishes.Settle();

        changed = changed with { Endpoints = changed.Endpoints.Remove("x") };
        Follow(With(node, changed), new PlanRecordKey(PlanPart.Endpoint, "red", "x"));
        Assert.Equal("10.9.0.20 of network 4101", Assert.Single(wishes.Changed).ToString());
        wishes.Settle();

        Follow(With(node, changed with { Services = changed.Services.Remove("other") }), new PlanRecordKey(PlanPart.Service, "red", "other"));
        Assert.Equal("10.9.0.20 of network 4101", Assert.Single(wishes.Changed).ToString());
        Assert.Single(wishes.Addresses);

        void Follow(NodeView next, PlanRecordKey key)
        {
            picture = DesiredPicture.Next(picture, next, new PlanDelta(picture.Node.Plan, [key]));
            wishes.Update(picture);
        }
    }

    [Fact]
    public void A_picture_that_does_not_follow_the_last_one_is_compared_as_a_whole()
    {
        var node = Node(Service("red"));
        var red = node.Plan.Networks["red"];
        var wishes = new SocketWishes();
        var first = DesiredPicture.Next(null, node, null);
        wishes.Update(first);
        wishes.Settle();

        // The sockets were not there to see the second picture; the third names only what differs from that.
        var second = DesiredPicture.Next(first, With(node, red with { Endpoints = red.Endpoints.Remove("a") }), new PlanDelta(node.Plan, [new PlanRecordKey(PlanPart.Endpoint, "red", "a")]));
        var third = DesiredPicture.Next(second, second.Node with { Ejected = [IPAddress.Parse("10.9.0.77")] }, new PlanDelta(second.Node.Plan, []));
        Assert.Empty(third.ServicesSince(second.Node)!);
        wishes.Update(third);
        Assert.Equal(["10.9.0.4"], wishes.Addresses[wishes.Changed.Single()].Backends.Select(b => b.ToString()));
        wishes.Settle();

        // What nobody balances any more goes with its network.
        wishes.Update(DesiredPicture.Next(third, node with { Plan = node.Plan with { Networks = node.Plan.Networks.Remove("red") }, Sandboxes = node.Sandboxes.Clear() }, null));
        Assert.Single(wishes.Changed);
        Assert.Empty(wishes.Addresses);
    }

    [Fact]
    public void A_port_that_is_refused_has_backends_of_its_own()
    {
        var node = Node(Service("red")) with
        {
            Health = BackendHealth.Unknown with { Refusing = [new RefusingPort("red", "web", IPAddress.Parse("10.9.0.3"), 6, 80)] },
        };
        var addresses = Compute(node).Addresses;
        Assert.True(addresses.Single(a => a.Key.Port == 0).Value.HasPorts);
        var port = addresses.Single(a => a.Key.Port == 80);
        Assert.Equal("10.9.0.2 port 80/tcp of network 4101", port.Key.ToString());
        Assert.Equal(["10.9.0.4"], port.Value.Backends.Select(b => b.ToString()));
    }

    [Fact]
    public void With_affinity_who_refuses_a_port_is_left_out_for_all()
    {
        var node = Node(Service("red") with { Balance = new PlanBalance(BalanceMode.Source) }) with
        {
            Health = BackendHealth.Unknown with { Refusing = [new RefusingPort("red", "web", IPAddress.Parse("10.9.0.3"), 6, 80)] },
        };
        var whole = Assert.Single(Compute(node).Addresses).Value;
        Assert.False(whole.HasPorts);
        Assert.Equal(["10.9.0.4"], whole.Backends.Select(b => b.ToString()));
        Assert.Empty(whole.Kept);
    }

    [Fact]
    public void Every_program_is_written()
    {
        foreach (var hook in SocketPrograms.Hooks)
        {
            Assert.InRange(SocketCode.NameOf(hook).Length, 6, 15);
            Assert.Contains(SocketCode.Of(hook).Maps, m => m.Map == SocketLayout.Owner);
        }
    }

    private static SocketWishes Compute(NodeView node)
    {
        var wishes = new SocketWishes();
        wishes.Update(DesiredPicture.Next(null, node, null));
        return wishes;
    }

    private static NodeView With(NodeView node, NetworkPlan red) => node with { Plan = node.Plan with { Networks = node.Plan.Networks.SetItem("red", red) } };

    private static string Short(string number) => ContainerOf(number)[..12];

    private static string ContainerOf(string number) => string.Concat(Enumerable.Repeat(number, 64));

    private static PlanService Service(string network) => new(network, "web", "web", ["10.9.0.2/24"]);

    private static NodeView Node(PlanService service)
    {
        var plan = new NodePlan
        {
            NodeId = "node1",
            Networks = new[] { s_ingress, s_red, s_blue }.ToImmutableDictionary(n => n.Id, n => n != s_red ? new NetworkPlan(n) : new NetworkPlan(n)
            {
                Services = ImmutableDictionary<string, PlanService>.Empty.Add(service.ServiceId, service),
                Endpoints = new[] { ("a", "node1", 3, EndpointState.Active), ("b", "node2", 4, EndpointState.Active), ("c", "node2", 5, EndpointState.Draining), ("d", "node2", 6, EndpointState.Starting) }
                    .Select(e => new PlanEndpoint("red", e.Item1, e.Item2, [$"10.9.0.{e.Item3}/24"]) { ServiceId = "web", State = e.Item4 })
                    .ToImmutableDictionary(e => e.TaskId),
            }),
        };
        return new NodeView(plan, new NodeFacts(IPAddress.Parse("192.0.2.1"), IPNetwork.Parse("172.18.0.0/16")))
        {
            Sandboxes = ImmutableSortedDictionary.Create<string, LocalSandbox>(StringComparer.Ordinal)
                .Add(ContainerOf("1"), Sandbox("1", s_ingress, s_red))
                .Add(ContainerOf("2"), Sandbox("2", s_blue, s_red)),
        };
    }

    private static LocalSandbox Sandbox(string number, params PlanNetwork[] networks) => new(new SandboxRequest(ContainerOf(number), number)
    {
        Attachments = [.. networks.Select(n => new SandboxAttachment(n, ["10.9.0.99/24"]))],
    });
}
