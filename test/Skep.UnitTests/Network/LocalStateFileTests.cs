using System.Text;
using Skep.Network.Desired;
using Skep.Network.Local;

namespace Skep.UnitTests.Network;

public sealed class LocalStateFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-network-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Choices_and_plan_come_back_and_lead_to_the_same_wishes()
    {
        var node = PlanExample.Node();
        var file = new LocalStateFile(_folder);
        file.Write(new LocalState { GatewaySubnet = "172.18.0.0/16", Sandboxes = node.Sandboxes, SpaceNumbers = node.Facts.SpaceNumbers });
        file.Write(node.Plan);

        var state = new LocalStateFile(_folder).Read();
        var again = node with { Plan = file.ReadPlan()!, Sandboxes = state.Sandboxes, Facts = node.Facts with { SpaceNumbers = state.SpaceNumbers } };
        Assert.Equal(DesiredState.Compute(node).ToString(), DesiredState.Compute(again).ToString());
    }

    [Fact]
    public void A_file_of_an_earlier_version_knows_of_no_ended_task()
    {
        File.WriteAllText(Path.Combine(_folder, "network.json"), "{\"GatewaySubnet\":\"172.18.0.0/16\"}");
        Assert.Empty(new LocalStateFile(_folder).Read().Ended);
        new LocalStateFile(_folder).Write(new LocalState { Ended = ["t1"] });
        Assert.Equal(["t1"], new LocalStateFile(_folder).Read().Ended);
    }

    [Fact]
    public void A_file_without_its_content_counts_as_none()
    {
        File.WriteAllBytes(Path.Combine(_folder, "network.json"), Encoding.ASCII.GetBytes("{\"Gate"));
        Assert.Equal("", new LocalStateFile(_folder).Read().GatewaySubnet);
    }
}
