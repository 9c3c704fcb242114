using System.Collections.Immutable;
using Google.Protobuf;
using Skep.Agent.Assignments;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Protocol.Node;
using Skep.Protocol.Records;

namespace Skep.UnitTests.Agent.Assignments;

public sealed class AssignmentSetTests
{
    [Fact]
    public void A_set_that_was_written_reads_back_as_it_was()
    {
        var set = Example();

        var read = AssignmentSet.Empty.Apply(Skep.Protocol.Node.Assignments.Parser.ParseFrom(set.ToMessage().ToByteArray()));

        Assert.Equal(set.ToMessage(), read.ToMessage());
        Assert.Equal(9ul, read.Revision);
        Assert.Equal("10.0.1.5/24", Assert.Single(read.Plan.Networks["net1"].Endpoints["task1"].Addresses));
    }

    [Fact]
    public void A_whole_replaces_everything_but_who_the_node_is()
    {
        var set = Example() with { Plan = Example().Plan with { NodeId = "node1", DataPathPort = 4790 } };

        var after = set.Apply(new Skep.Protocol.Node.Assignments { Full = true, Revision = 10 });

        Assert.Empty(after.Tasks);
        Assert.Empty(after.Plan.Networks);
        Assert.Equal(("node1", (ushort)4790, 10ul), (after.Plan.NodeId, after.Plan.DataPathPort, after.Revision));
    }

    [Fact]
    public void A_network_that_changes_keeps_its_records_and_one_that_goes_takes_them_along()
    {
        var changed = Example().Apply(Change(AssignmentKind.Network, "net1", "net1", Encode(new PlanNetwork("net1", "renamed", 7, []))));
        Assert.Equal("renamed", changed.Plan.Networks["net1"].Network.Name);
        Assert.NotEmpty(changed.Plan.Networks["net1"].Endpoints);

        var gone = changed.Apply(Change(AssignmentKind.Network, "net1", "net1", ByteString.Empty));
        Assert.Empty(gone.Plan.Networks);
    }

    [Fact]
    public void Records_come_and_go_one_by_one_and_those_of_unknown_networks_are_passed_over()
    {
        var set = Example()
            .Apply(Change(AssignmentKind.Endpoint, "net1", "task1", ByteString.Empty))
            .Apply(Change(AssignmentKind.Task, "", "task1", ByteString.Empty))
            .Apply(Change(AssignmentKind.Endpoint, "net9", "task9", Encode(new PlanEndpoint("net9", "task9", "n", []))));

        Assert.Empty(set.Tasks);
        Assert.Empty(set.Plan.Networks["net1"].Endpoints);
        Assert.Equal(["net1"], set.Plan.Networks.Keys);
    }

    private static AssignmentSet Example()
    {
        var network = new NetworkPlan(new PlanNetwork("net1", "front", 7, []))
        {
            Peers = ImmutableDictionary<string, PlanPeer>.Empty.Add("node2", new PlanPeer("net1", "node2", "192.0.2.2")),
            Endpoints = ImmutableDictionary<string, PlanEndpoint>.Empty.Add("task1", new PlanEndpoint("net1", "task1", "node1", ["10.0.1.5/24"])),
            Services = ImmutableDictionary<string, PlanService>.Empty.Add("svc1", new PlanService("net1", "svc1", "web", ["10.0.1.2/24"])),
        };
        return new AssignmentSet
        {
            Tasks = AssignmentSet.Empty.Tasks.Add("task1", new SwarmTask { Id = "task1", NodeId = "node1" }),
            Plan = NodePlan.Empty with { Revision = 9, Networks = NodePlan.Empty.Networks.Add("net1", network) },
        };
    }

    private static Skep.Protocol.Node.Assignments Change(AssignmentKind kind, string networkId, string id, ByteString record) =>
        new() { Revision = 11, Changes = { new AssignmentChange { Kind = kind, NetworkId = networkId, Id = id, Record = record } } };

    private static ByteString Encode(PlanNetwork network) => ByteString.CopyFrom(RecordCodec.Encode(network, RecordJson.Default.PlanNetwork));

    private static ByteString Encode(PlanEndpoint endpoint) => ByteString.CopyFrom(RecordCodec.Encode(endpoint, RecordJson.Default.PlanEndpoint));
}
