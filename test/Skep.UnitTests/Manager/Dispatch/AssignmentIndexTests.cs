using System.Collections.Immutable;
using Skep.Agent.Assignments;
using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;

namespace Skep.UnitTests.Manager.Dispatch;

public sealed class AssignmentIndexTests
{
    private const int Length = 150;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Changes_applied_from_any_point_make_what_the_whole_would_be(int seed)
    {
        var history = new DispatchHistory(seed);
        var random = new Random(seed);
        var index = AssignmentIndex.Build(history.View);
        var sets = new Dictionary<string, AssignmentSet>();
        var (told, most) = (0, 0);
        for (var step = 0; step < Length; step++)
        {
            var before = history.View;
            var from = index.Revision;
            var deltas = index.Apply(history.Next());
            foreach (var (node, changes) in deltas)
            {
                told++;
                Assert.NotEmpty(changes);
                if (sets.TryGetValue(node, out var set))
                {
                    var message = new Assignments { From = from, Revision = index.Revision };
                    message.Changes.AddRange(changes);
                    sets[node] = set.Apply(message);
                }
            }

            var rebuilt = AssignmentIndex.Build(history.View);
            foreach (var node in history.View.Nodes.Keys)
            {
                var expected = Text(Whole(rebuilt, node));
                Assert.True(expected == Text(Whole(index, node)), $"seed {seed}, step {step}, {node}: the index differs from a new one");
                if (sets.TryGetValue(node, out var set))
                {
                    Assert.True(expected == Text(set), $"seed {seed}, step {step}, {node}: expected\n{expected}\nbut the changes made\n{Text(set)}");
                }
                else if (random.Next(3) == 0)
                {
                    // Sessions begin at any point of the history.
                    sets[node] = Whole(index, node);
                }

                most = Math.Max(most, Whole(index, node).Plan.Networks.Count);
            }

            foreach (var gone in before.Nodes.Keys.Except(history.View.Nodes.Keys))
            {
                sets.Remove(gone);
            }
        }

        // The generator must have made something worth comparing.
        Assert.True(told > Length / 2, $"only {told} messages");
        Assert.True(most >= 2, $"at most {most} networks on a node");
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void A_node_is_told_only_what_it_takes_part_in(int seed)
    {
        var history = new DispatchHistory(seed);
        var index = AssignmentIndex.Build(history.View);
        for (var step = 0; step < Length; step++)
        {
            var before = history.View;
            var known = before.Nodes.Keys.ToDictionary(n => n, n => Whole(index, n));
            foreach (var (node, changes) in index.Apply(history.Next()))
            {
                var after = Whole(index, node);
                foreach (var change in changes)
                {
                    var concerned = change.Kind == AssignmentKind.Task
                        ? after.Tasks.ContainsKey(change.Id) || (known.TryGetValue(node, out var had) && had.Tasks.ContainsKey(change.Id))
                        : after.Plan.Networks.ContainsKey(change.NetworkId) || (known.TryGetValue(node, out had) && had.Plan.Networks.ContainsKey(change.NetworkId));
                    Assert.True(concerned || !history.View.Nodes.ContainsKey(node), $"seed {seed}, step {step}: {node} was told {change.Kind} {change.Id} of {change.NetworkId}");
                }
            }
        }
    }

    [Fact]
    public void One_task_among_ten_thousand_services_is_told_to_the_nodes_of_its_network_only()
    {
        const int services = 10_000;
        var nodes = Enumerable.Range(0, 50).Select(i => new SwarmNode { Id = $"node{i}", DataPathAddress = "192.0.2.1" }).ToList();
        var networks = Enumerable.Range(0, 500).Select(i => new SwarmNetwork { Id = $"net{i}", Vni = (uint)i + 1, Spec = new NetworkSpec { Name = $"net{i}" } }).ToList();
        var all = Enumerable.Range(0, services).Select(i => new SwarmService
        {
            Id = $"svc{i}",
            Spec = new ServiceSpec { Name = $"svc{i}" },
            Endpoint = new ServiceEndpoint { VirtualIPs = [new VirtualIp($"net{i % 500}", "10.0.0.2/24")] },
        });
        var tasks = Enumerable.Range(0, services).Select(i => Task($"task{i}", $"node{(i % 500 * 2 % 50) + (i / 500 % 2)}", $"net{i % 500}")).ToList();
        var view = StoreView.Empty.Apply(1, [.. nodes, .. networks, .. all, .. tasks], []).View;
        var index = AssignmentIndex.Build(view);

        var deltas = index.Apply(view.Apply(2, [tasks[7] with { Status = new SwarmTaskStatus { State = TaskState.Running } }], []));

        // Two nodes have tasks on net7; each hears of one endpoint, and the state that the agent reported is not sent back.
        Assert.Equal(["node14", "node15"], deltas.Keys.Order(StringComparer.Ordinal));
        Assert.All(deltas.Values, changes => Assert.Equal(AssignmentKind.Endpoint, Assert.Single(changes).Kind));
    }

    [Fact]
    public void Records_of_a_network_wait_until_the_network_is_there()
    {
        var node = new SwarmNode { Id = "node1", DataPathAddress = "192.0.2.1" };
        var task = Task("task1", "node1", "net1");
        var early = StoreView.Empty.Apply(1, [node, task], []).View;
        var index = AssignmentIndex.Build(early);
        Assert.Equal([AssignmentKind.Task], index.Full("node1").Select(c => c.Kind));

        var network = new SwarmNetwork { Id = "net1", Vni = 7, Spec = new NetworkSpec { Name = "net1" } };
        var deltas = index.Apply(early.Apply(2, [network], []));

        Assert.Equal([AssignmentKind.Network, AssignmentKind.Peer, AssignmentKind.Endpoint], deltas["node1"].Select(c => c.Kind));
    }

    [Fact]
    public void A_service_that_comes_with_the_ingress_network_has_its_ports_there()
    {
        var ingress = new SwarmNetwork { Id = "ing", Vni = 1, Spec = new NetworkSpec { Name = "ingress", Ingress = true } };
        var service = new SwarmService
        {
            Id = "svc1",
            Spec = new ServiceSpec { Name = "web" },
            Endpoint = new ServiceEndpoint { Ports = [new PortConfig { TargetPort = 80, PublishedPort = 8080 }], VirtualIPs = [new VirtualIp("ing", "10.0.0.3/24")] },
        };
        var index = AssignmentIndex.Build(StoreView.Empty);

        index.Apply(StoreView.Empty.Apply(1, [service, ingress, new SwarmNode { Id = "node1", DataPathAddress = "192.0.2.1" }], []));

        Assert.Equal(8080u, Assert.Single(Whole(index, "node1").Plan.Networks["ing"].Services["svc1"].Ports).PublishedPort);
    }

    [Fact]
    public void A_task_that_is_replaced_on_a_node_that_is_down_has_no_endpoint_until_the_node_is_back()
    {
        var nodes = new[] { Node("node1", "192.0.2.1"), Node("node2", "192.0.2.2") };
        var network = new SwarmNetwork { Id = "net1", Vni = 7, Spec = new NetworkSpec { Name = "net1" } };
        var (kept, lost) = (Task("kept", "node1", "net1"), Task("lost", "node1", "net1"));
        var view = StoreView.Empty.Apply(1, [.. nodes, network, kept, lost, Task("task2", "node2", "net1")], []).View;
        var index = AssignmentIndex.Build(view);

        view = Apply(nodes[0] with { Status = new NodeStatus { State = NodeState.Down } });
        Assert.Equal(["kept", "lost", "task2"], Endpoints());
        view = Apply(lost with { DesiredState = TaskState.Shutdown });
        Assert.Equal(["kept", "task2"], Endpoints());
        Assert.Contains("node1", Whole(index, "node2").Plan.Networks["net1"].Peers.Keys);
        view = Apply(nodes[0] with { Status = new NodeStatus { State = NodeState.Ready } });
        Assert.Equal(["kept", "lost", "task2"], Endpoints());
        view = Apply(nodes[0] with { Status = new NodeStatus { State = NodeState.Down } });
        Assert.Equal(["kept", "task2"], Endpoints());

        StoreView Apply(SwarmObject change)
        {
            var commit = view.Apply(view.Revision + 1, [change], []);
            index.Apply(commit);
            return commit.View;
        }

        IEnumerable<string> Endpoints() => Whole(index, "node2").Plan.Networks["net1"].Endpoints.Keys.Order(StringComparer.Ordinal);
    }

    [Fact]
    public void A_node_that_is_down_is_no_peer_while_another_has_its_address()
    {
        var (gone, again) = (Node("node1", "192.0.2.1"), Node("again", "192.0.2.1"));
        var network = new SwarmNetwork { Id = "net1", Vni = 7, Spec = new NetworkSpec { Name = "net1" } };
        var view = StoreView.Empty.Apply(1, [gone, Node("node2", "192.0.2.2"), network, Task("task1", "node1", "net1"), Task("task2", "node2", "net1")], []).View;
        var index = AssignmentIndex.Build(view);

        Apply(gone with { Status = new NodeStatus { State = NodeState.Down } });
        Assert.Equal(["node1", "node2"], Peers());
        Apply(again);
        Assert.Equal(["node2"], Peers());
        Apply(Task("task3", "again", "net1"));
        Assert.Equal(["again", "node2"], Peers());
        Apply(again with { DataPathAddress = "192.0.2.3" });
        Assert.Equal(["again", "node1", "node2"], Peers());

        void Apply(SwarmObject change)
        {
            var commit = view.Apply(view.Revision + 1, [change], []);
            index.Apply(commit);
            view = commit.View;
        }

        IEnumerable<string> Peers() => Whole(index, "node2").Plan.Networks["net1"].Peers.Keys.Order(StringComparer.Ordinal);
    }

    private static SwarmNode Node(string id, string address) => new() { Id = id, DataPathAddress = address, Status = new NodeStatus { State = NodeState.Ready } };

    private static SwarmTask Task(string id, string nodeId, string networkId) => new()
    {
        Id = id,
        NodeId = nodeId,
        ServiceName = "web",
        Slot = 1,
        Status = new SwarmTaskStatus { State = TaskState.Starting },
        Attachments = [new TaskAttachment(networkId, ["10.0.0.9/24"])],
    };

    private static AssignmentSet Whole(AssignmentIndex index, string nodeId)
    {
        var message = new Assignments { Full = true, Revision = index.Revision };
        message.Changes.AddRange(index.Full(nodeId));
        return AssignmentSet.Empty.Apply(message);
    }

    /// <summary>The set without revision and without the states that the agent reports itself, in a fixed order.</summary>
    private static string Text(AssignmentSet set)
    {
        var tasks = set.Tasks.ToDictionary(t => t.Key, t => t.Value with { Status = new SwarmTaskStatus() });
        var message = (set with { Tasks = tasks.ToImmutableDictionary() }).ToMessage();
        return string.Join('\n', message.Changes.Select(c => $"{c.Kind} {c.NetworkId} {c.Id} {c.Record.ToStringUtf8()}").Order(StringComparer.Ordinal));
    }
}
