using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Model.Plans;
using Skep.Network;
using Skep.Network.Local;

namespace Skep.UnitTests.Network;

public sealed class DrainJournalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-network-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_left_balancing_after_the_plan_was_written_drains_in_it_when_the_daemon_starts_again()
    {
        var before = PlanExample.Node().Plan;
        new LocalStateFile(_folder).Write(before);
        var draining = Plan(8, PlanExample.DemoPlan(there: EndpointState.Draining));
        var kept = Keeper();
        kept.NoteDrained(draining, new PlanDelta(before, [new PlanRecordKey(PlanPart.Endpoint, "demo00id", "t2"), new PlanRecordKey(PlanPart.Endpoint, "demo00id", "t1")]));

        // It is killed.
        kept = Keeper();
        Assert.Equal((EndpointState.Active, EndpointState.Draining), StatesIn(kept.Plan!));
        Assert.Equal((EndpointState.Active, EndpointState.Draining), StatesIn(kept.WithDrained(before)));
        // A plan that is not older knows by itself.
        Assert.Equal((EndpointState.Active, EndpointState.Active), StatesIn(kept.WithDrained(before with { Revision = 9 })));

        // Once the plan is written, what it has in it is forgotten with the next entry.
        await kept.FinishAsync(draining);
        var gone = Plan(9, PlanExample.DemoPlan(here: EndpointState.Draining, there: EndpointState.Draining));
        kept.NoteDrained(gone, new PlanDelta(draining, [new PlanRecordKey(PlanPart.Endpoint, "demo00id", "t1")]));
        Assert.Equal([new DrainedEndpoint(9, "demo00id", "t1")], new LocalStateFile(_folder).ReadDrained());
    }

    private static (EndpointState, EndpointState) StatesIn(NodePlan plan)
    {
        var endpoints = plan.Networks["demo00id"].Endpoints;
        return (endpoints["t1"].State, endpoints["t2"].State);
    }

    private static NodePlan Plan(ulong revision, NetworkPlan demo) => PlanExample.Node(demo).Plan with { Revision = revision };

    private StateKeeper Keeper() => new(
        new NodeNetworkOptions { NodeId = "n1", Vtep = IPAddress.Parse("192.0.2.1"), StateFolder = _folder },
        local => local with { GatewaySubnet = "172.18.0.0/16" },
        NullLogger.Instance);
}
