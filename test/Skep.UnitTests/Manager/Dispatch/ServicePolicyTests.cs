using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Protocol.Node;
using Skep.Protocol.Records;

namespace Skep.UnitTests.Manager.Dispatch;

/// <summary>What labels of services become in the plan of a node, commit by commit.</summary>
public sealed class ServicePolicyTests
{
    private readonly AssignmentIndex _index = AssignmentIndex.Build(StoreView.Empty);
    private readonly Dictionary<string, PlanService> _told = [];
    private StoreView _view = StoreView.Empty;

    public ServicePolicyTests() => Commit(
        new SwarmNetwork { Id = "ingress", Vni = 4096, Spec = new NetworkSpec { Name = "ingress", Ingress = true } },
        Node("n1", "true"),
        Node("n2", "false"));

    [Fact]
    public void A_service_without_labels_costs_no_byte()
    {
        Commit(Service("web"));
        Assert.Equal((null, null), (_told["web"].Balance, _told["web"].Access));
    }

    [Fact]
    public void A_canary_joins_changes_its_weight_and_leaves_without_a_change_of_the_service_that_it_serves()
    {
        Commit(Service("web", ("skep.balance.weight", "9")));
        Assert.Null(_told["web"].Balance!.Members);
        Commit(Service("canary", ("skep.balance.with", "web")));
        Assert.Equal((9, new PlanMember("canary", 1)), (_told["web"].Balance!.Weight, Assert.Single(_told["web"].Balance!.Members!)));

        Commit(Service("canary", ("skep.balance.with", "web"), ("skep.balance.weight", "5")));
        Assert.Equal(new PlanMember("canary", 5), Assert.Single(_told["web"].Balance!.Members!));

        Commit(Service("canary"));
        Assert.Null(_told["web"].Balance!.Members);
    }

    [Fact]
    public void A_canary_may_be_there_first_and_means_the_service_of_its_own_stack_first()
    {
        Commit(Service("shop_canary", ("skep.balance.with", "web"), ("com.docker.stack.namespace", "shop")));
        Commit(Service("web"));
        Assert.Equal("shop_canary", Assert.Single(_told["web"].Balance!.Members!).ServiceId);

        Commit(Service("shop_web"));
        Assert.Equal("shop_canary", Assert.Single(_told["shop_web"].Balance!.Members!).ServiceId);
        Assert.Null(_told["web"].Balance);

        Remove("shop_web");
        Assert.Equal("shop_canary", Assert.Single(_told["web"].Balance!.Members!).ServiceId);
        Remove("shop_canary");
        Assert.Null(_told["web"].Balance);
    }

    [Fact]
    public void Affinity_is_told_in_seconds_and_only_where_it_is_asked_for()
    {
        Commit(Service("web", ("skep.balance", "source"), ("skep.balance.timeout", "10m")), Service("db", ("skep.balance", "random")));
        Assert.Equal(new PlanBalance(BalanceMode.Source) { AffinitySeconds = 600 }, _told["web"].Balance);
        Assert.Equal(new PlanBalance(BalanceMode.Random), _told["db"].Balance);
    }

    [Fact]
    public void The_nodes_that_listen_follow_the_nodes_labels()
    {
        Commit(Service("web", ("skep.publish.nodes", "node.labels.edge==true"), ("skep.publish.80.sources", "10.0.0.0/8")));
        Assert.Equal((null, "10.0.0.0/8"), (_told["web"].AccessTo(443)!.Sources, Assert.Single(_told["web"].AccessTo(80)!.Sources!)));
        Assert.All(_told["web"].Access!, a => Assert.Equal(["n1"], a.Nodes));

        Commit(Node("n2", "true"), Node("n3", "true"));
        Assert.All(_told["web"].Access!, a => Assert.Equal(["n1", "n2", "n3"], a.Nodes));
        Remove("n1");
        Commit(Node("n2", "false"));
        Assert.All(_told["web"].Access!, a => Assert.Equal(["n3"], a.Nodes));
    }

    [Fact]
    public void Host_mode_ports_have_their_restrictions_on_the_ingress_network_where_every_node_hears_them()
    {
        var hosted = Service("db", ("skep.publish.sources", "10.0.0.0/8"));
        Commit(hosted with { Endpoint = new ServiceEndpoint { Ports = [new PortConfig { PublishMode = "host", PublishedPort = 5432, TargetPort = 5432 }] } });
        Assert.Equal(("ingress", 0, 0), (_told["db"].NetworkId, _told["db"].Ports.Count, _told["db"].Vips.Count));
        Assert.NotNull(_told["db"].AccessTo(5432));

        // Without labels it is still told, so that a record that goes means a service that is gone.
        Commit(hosted with { Endpoint = new ServiceEndpoint { Ports = [new PortConfig { PublishMode = "host", TargetPort = 5432 }] }, Spec = new ServiceSpec { Name = "db" } });
        Assert.Null(_told["db"].Access);
        Commit(hosted with { Endpoint = new ServiceEndpoint(), Spec = new ServiceSpec { Name = "db" } });
        Assert.DoesNotContain("db", _told.Keys);
    }

    private static SwarmService Service(string name, params (string Key, string Value)[] labels) => new()
    {
        Id = name,
        Spec = new ServiceSpec { Name = name, Labels = labels.ToDictionary(l => l.Key, l => l.Value), EndpointSpec = new() { Ports = [new() { PublishedPort = 80 }] } },
        Endpoint = new ServiceEndpoint { VirtualIPs = [new VirtualIp("ingress", "10.0.0.9/24")] },
    };

    private static SwarmNode Node(string id, string edge) => new()
    {
        Id = id, DataPathAddress = "192.0.2.1", Spec = new NodeSpec { Labels = new Dictionary<string, string> { ["edge"] = edge } },
    };

    private void Commit(params SwarmObject[] written) => Take(_view.Apply(_view.Revision + 1, written, []));

    private void Remove(string id) => Take(_view.Apply(_view.Revision + 1, [], [_view.Nodes.ContainsKey(id) ? (ObjectKind.Node, id) : (ObjectKind.Service, id)]));

    // What one node hears, which is there all the time.
    private void Take(StoreCommit commit)
    {
        _view = commit.View;
        foreach (var change in _index.Apply(commit).Where(n => n.Key is "n2").SelectMany(n => n.Value).Where(c => c.Kind == AssignmentKind.Service))
        {
            if (change.Record.IsEmpty)
            {
                _told.Remove(change.Id);
            }
            else
            {
                _told[change.Id] = RecordCodec.Decode(change.Record.Span, RecordJson.Default.PlanService);
            }
        }
    }
}
