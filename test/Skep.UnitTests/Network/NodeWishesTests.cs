using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Network;
using Skep.Network.Desired;
using Skep.Network.Local;

namespace Skep.UnitTests.Network;

public sealed class NodeWishesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-network-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_plan_from_before_the_last_stop_gives_way_to_a_newer_one_and_whatever_managers_say_holds()
    {
        var plan = PlanExample.Node().Plan;
        new LocalStateFile(_folder).Write(plan with { Revision = 9 });
        var wishes = Wishes(plan.NodeId);

        wishes.Resume(plan with { Revision = 8 }, () => BackendHealth.Unknown);
        Assert.Equal(9u, Revision());
        wishes.Resume(plan with { Revision = 10 }, () => BackendHealth.Unknown);
        Assert.Equal(10u, Revision());

        // Managers that were restored from a backup count from an earlier revision on.
        wishes.Submit(plan with { Revision = 3 }, delta: null, () => BackendHealth.Unknown);
        Assert.Equal(3u, Revision());

        ulong Revision() => wishes.View(v => v.Plan.Revision);
    }

    private NodeWishes Wishes(string nodeId)
    {
        var options = new NodeNetworkOptions { NodeId = nodeId, Vtep = IPAddress.Parse("192.0.2.1"), StateFolder = _folder };
        var kept = new StateKeeper(options, local => local with { GatewaySubnet = "172.18.0.0/16" }, NullLogger.Instance);
        return new NodeWishes(options, PlanExample.Node().Facts, kept, () => { });
    }
}
