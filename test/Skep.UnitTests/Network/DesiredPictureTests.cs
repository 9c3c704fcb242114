using System.Collections.Immutable;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Network.Desired;

namespace Skep.UnitTests.Network;

/// <summary>A picture that followed a history of changes is the one that the last plan gives by itself.</summary>
public sealed class DesiredPictureTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Following_changes_leads_to_what_the_plan_gives(int seed)
    {
        var random = new Random(seed);
        var node = PlanExample.Node();
        var picture = DesiredPicture.Next(null, node, null);
        var shared = 0;
        for (var step = 0; step < 200; step++)
        {
            var (plan, keys) = Change(random, node.Plan, random.Next(1, 4));
            var next = node with { Plan = plan };
            var followed = DesiredPicture.Next(picture, next, new PlanDelta(node.Plan, keys));
            Assert.Equal(DesiredState.Compute(next).ToString(), followed.Wanted.ToString());
            shared += followed.Wanted.Spaces.Zip(picture.Wanted.Spaces).Count(s => ReferenceEquals(s.First.Frame, s.Second.Frame));
            (node, picture) = (next, followed);
        }

        // What did not change was not computed again.
        Assert.Equal(200 * picture.Wanted.Spaces.Length, shared);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Following_peers_sandboxes_and_findings_leads_to_what_they_give(int seed)
    {
        var random = new Random(seed);
        var node = PlanExample.Node();
        var picture = DesiredPicture.Next(null, node, null);
        var (shared, wished) = (0, 0);
        for (var step = 0; step < 200; step++)
        {
            var (plan, keys) = Change(random, node.Plan, random.Next(0, 3));
            (plan, keys) = random.Next(3) == 0 ? ChangePeer(random, plan, keys) : (plan, keys);
            var next = ChangeNode(random, node with { Plan = plan });
            var followed = DesiredPicture.Next(picture, next, new PlanDelta(node.Plan, keys));
            Assert.Equal(DesiredState.Compute(next).ToString(), followed.Wanted.ToString());
            var known = picture.Wanted.Spaces.ToDictionary(s => s.Name, s => s.Frame);
            shared += followed.Wanted.Spaces.Count(s => known.TryGetValue(s.Name, out var frame) && ReferenceEquals(s.Frame, frame));
            wished += followed.Wanted.Spaces.Length;
            (node, picture) = (next, followed);
        }

        // Frames are computed with everything, and of a sandbox that is another one.
        Assert.True(shared > wished * 9 / 10, $"{shared} of {wished} frames were kept");
    }

    [Fact]
    public void A_refusal_is_told_as_the_share_of_its_service()
    {
        var node = PlanExample.Node();
        var before = DesiredPicture.Next(null, node, null);
        var refusing = new RefusingPort(PlanExample.Demo.Id, "s1", System.Net.IPAddress.Parse("10.0.1.4"), 6, 3000);
        var after = DesiredPicture.Next(before, node with { Health = node.Health with { Refusing = [refusing] } }, new PlanDelta(node.Plan, []));
        var changed = after.Wanted.Spaces.Zip(before.Wanted.Spaces).Where(s => !ReferenceEquals(s.First, s.Second)).ToList();
        Assert.Equal(["2-demo00id"], changed.Select(s => s.First.Name));
        Assert.Equal([new ShareKey(ShareSource.Service, PlanExample.Demo.Id, "s1")], changed[0].First.ChangesSince(changed[0].Second));
    }

    [Fact]
    public void A_plan_from_elsewhere_that_says_the_same_changes_nothing()
    {
        var (one, other) = (PlanExample.Node(), PlanExample.Node(PlanExample.DemoPlan(there: EndpointState.Draining)));
        Assert.Empty(PlanComparison.Between(one.Plan, PlanExample.Node().Plan)!.Keys);
        Assert.Equal([new PlanRecordKey(PlanPart.Endpoint, PlanExample.Demo.Id, "t2")], PlanComparison.Between(one.Plan, other.Plan)!.Keys);
        Assert.Null(PlanComparison.Between(one.Plan, one.Plan with { Networks = one.Plan.Networks.Remove(PlanExample.Demo.Id) }));
        Assert.Null(PlanComparison.Between(one.Plan, With(one.Plan, PlanExample.Demo.Id, n => n with { Network = n.Network with { Vni = 5000 } })));
    }

    [Fact]
    public void An_unknown_change_keeps_the_namespaces_that_it_does_not_concern()
    {
        var node = PlanExample.Node();
        var before = DesiredPicture.Next(null, node, null);
        var after = DesiredPicture.Next(before, PlanExample.Node(PlanExample.DemoPlan(there: EndpointState.Draining)), null);
        Assert.Equal(["2-demo00id"], after.Wanted.Spaces.Zip(before.Wanted.Spaces).Where(s => !ReferenceEquals(s.First, s.Second)).Select(s => s.First.Name));
    }

    [Fact]
    public void The_shares_of_a_changed_endpoint_are_told()
    {
        var node = PlanExample.Node();
        var before = DesiredPicture.Next(null, node, null);
        var endpoint = node.Plan.Networks[PlanExample.Demo.Id].Endpoints["t2"] with { State = EndpointState.Draining };
        var plan = With(node.Plan, PlanExample.Demo.Id, n => n with { Endpoints = n.Endpoints.SetItem("t2", endpoint) });
        var delta = new PlanDelta(node.Plan, [new PlanRecordKey(PlanPart.Endpoint, PlanExample.Demo.Id, "t2")]);
        var after = DesiredPicture.Next(before, node with { Plan = plan }, delta);
        var (was, now) = (before.Wanted.Spaces.Single(s => s.Name == "2-demo00id"), after.Wanted.Spaces.Single(s => s.Name == "2-demo00id"));
        Assert.Equal([new ShareKey(ShareSource.Service, PlanExample.Demo.Id, "s1")], now.ChangesSince(was));
        Assert.Equal([new ShareKey(ShareSource.Service, PlanExample.Demo.Id, "s1")], now.ChangesSince(DesiredPicture.Next(null, node, null).Wanted.Spaces.Single(s => s.Name == "2-demo00id")));
    }

    private static (NodePlan Plan, ImmutableHashSet<PlanRecordKey> Keys) Change(Random random, NodePlan plan, int count)
    {
        var keys = ImmutableHashSet.CreateBuilder<PlanRecordKey>();
        for (var i = 0; i < count; i++)
        {
            var network = random.Next(2) == 0 ? PlanExample.Demo : PlanExample.Ingress;
            var subnet = network.Ingress ? "10.0.0" : "10.0.1";
            var number = random.Next(1, 6);
            if (random.Next(3) == 0)
            {
                var service = new PlanService(network.Id, $"s{number}", $"web{number}", [$"{subnet}.{number + 100}/24"])
                {
                    Ports = network.Ingress ? [new PortConfig { PublishedPort = (uint)(8000 + random.Next(3)), TargetPort = 80 }] : [],
                    Balance = random.Next(3) switch
                    {
                        0 => null,
                        1 => new PlanBalance(BalanceMode.RoundRobin, 2) { Members = [new PlanMember($"s{random.Next(1, 6)}", 3)] },
                        _ => new PlanBalance(BalanceMode.Random),
                    },
                };
                plan = With(plan, network.Id, n => n with { Services = random.Next(4) == 0 ? n.Services.Remove(service.ServiceId) : n.Services.SetItem(service.ServiceId, service) });
                keys.Add(new PlanRecordKey(PlanPart.Service, network.Id, service.ServiceId));
            }
            else
            {
                var endpoint = new PlanEndpoint(network.Id, $"t{number}", random.Next(2) == 0 ? "n1" : "n2", [$"{subnet}.{random.Next(20, 26)}/24"])
                {
                    ServiceId = $"s{random.Next(1, 6)}",
                    State = (EndpointState)random.Next(3),
                };
                plan = With(plan, network.Id, n => n with { Endpoints = random.Next(4) == 0 ? n.Endpoints.Remove(endpoint.TaskId) : n.Endpoints.SetItem(endpoint.TaskId, endpoint) });
                keys.Add(new PlanRecordKey(PlanPart.Endpoint, network.Id, endpoint.TaskId));
            }
        }

        return (plan with { Revision = plan.Revision + 1 }, keys.ToImmutable());
    }

    private static (NodePlan Plan, ImmutableHashSet<PlanRecordKey> Keys) ChangePeer(Random random, NodePlan plan, ImmutableHashSet<PlanRecordKey> keys)
    {
        var network = random.Next(2) == 0 ? PlanExample.Demo : PlanExample.Ingress;
        var number = random.Next(2, 5);
        var peer = new PlanPeer(network.Id, $"n{number}", $"192.0.2.{random.Next(2, 6)}") { IngressAddress = network.Ingress ? $"10.0.0.{10 + number}/24" : null };
        return (
            With(plan, network.Id, n => n with { Peers = random.Next(4) == 0 ? n.Peers.Remove(peer.NodeId) : n.Peers.SetItem(peer.NodeId, peer) }),
            keys.Add(new PlanRecordKey(PlanPart.Peer, network.Id, peer.NodeId)));
    }

    private static NodeView ChangeNode(Random random, NodeView node)
    {
        var service = $"s{random.Next(1, 6)}";
        var network = random.Next(2) == 0 ? PlanExample.Demo : PlanExample.Ingress;
        var address = System.Net.IPAddress.Parse($"10.0.{(network.Ingress ? 0 : 1)}.{random.Next(20, 26)}");
        var (refusing, answering) = (new RefusingPort(network.Id, service, address, 6, 80), new AnsweringPort(network.Id, service, 6, 80));
        var held = new HeldPort("tcp", (uint)(8000 + random.Next(3)));
        var container = new string((char)('b' + random.Next(2)), 64);
        var number = (int)container[0];
        return random.Next(8) switch
        {
            0 => node with { Health = node.Health with { Refusing = Toggle(node.Health.Refusing, refusing) } },
            1 => node with { Health = node.Health with { Answering = Toggle(node.Health.Answering, answering) } },
            2 => node with { Ejected = Toggle(node.Ejected, address) },
            3 => node with { HeldPorts = node.HeldPorts.SymmetricExcept([held]) },
            6 => node with { Ended = Toggle(node.Ended, node.Plan.Networks[network.Id].Endpoints.Keys.Order(StringComparer.Ordinal).ElementAtOrDefault(random.Next(4)) ?? "t1") },
            4 => node with { Facts = node.Facts with { PathMtus = node.Facts.PathMtus.SetItem("n2", random.Next(8) == 0 ? 1400 : 1500) } },
            5 when node.Sandboxes.ContainsKey(container) => node with { Sandboxes = node.Sandboxes.Remove(container) },
            5 => node with
            {
                Sandboxes = node.Sandboxes.Add(container, new LocalSandbox(new SandboxRequest(container, "t9")
                {
                    Attachments = [new SandboxAttachment(PlanExample.Ingress, [$"10.0.0.{number}/24"]), new SandboxAttachment(PlanExample.Demo, [$"10.0.1.{number}/24"])],
                })
                {
                    GatewayAddress = $"172.18.0.{number}/16",
                    Cables = ImmutableDictionary<string, int>.Empty.Add(PlanExample.Ingress.Id, number).Add(PlanExample.Demo.Id, number),
                }),
            },
            _ => node,
        };

        static ImmutableHashSet<T> Toggle<T>(ImmutableHashSet<T> set, T item) => set.SymmetricExcept([item]);
    }

    private static NodePlan With(NodePlan plan, string network, Func<NetworkPlan, NetworkPlan> change) =>
        plan with { Networks = plan.Networks.SetItem(network, change(plan.Networks[network])) };
}
