using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.UnitTests.Model.Rules;

public sealed class PlacementConstraintTests
{
    private readonly SwarmNode _node = new()
    {
        Id = "n1",
        Role = NodeSpec.Manager,
        Spec = new NodeSpec { Labels = new Dictionary<string, string> { ["zone"] = "East" } },
        Description = new NodeDescription
        {
            Hostname = "Box",
            Platform = new Platform { OS = "linux", Architecture = "x86_64" },
            Engine = new EngineDescription { Labels = new Dictionary<string, string> { ["disk"] = "ssd" } },
        },
        Status = new NodeStatus { Addr = "10.1.2.3" },
    };

    [Theory]
    [InlineData("node.id==n1", true)]
    [InlineData("NODE.HOSTNAME == box", true)]
    [InlineData("node.role!=worker", true)]
    [InlineData("node.role==worker", false)]
    [InlineData("node.labels.zone==east", true)]
    [InlineData("node.labels.Zone==east", false)]
    [InlineData("node.labels.none!=x", true)]
    [InlineData("engine.labels.disk==SSD", true)]
    [InlineData("node.platform.arch==amd64", false)]
    [InlineData("node.platform.os==linux", true)]
    [InlineData("node.ip==10.1.0.0/16", true)]
    [InlineData("node.ip!=10.1.2.3", false)]
    [InlineData("node.ip==elsewhere", false)]
    [InlineData("node.ip!=elsewhere", false)]
    [InlineData("some.key!=x", false)]
    [InlineData("node.hostname==b*", false)]
    public void Nodes_are_matched_literally(string text, bool matches) => Assert.Equal(matches, PlacementConstraint.Parse(text).Matches(_node));

    [Theory]
    [InlineData("node.id=n1", "constraint expected one operator from ==, !=")]
    [InlineData("no de==x", "key 'no de' is invalid")]
    [InlineData("node.id==", "value '' is invalid")]
    [InlineData("node.id==a,b", "value 'a,b' is invalid")]
    public void Malformed_ones_are_refused_in_known_words(string text, string message) =>
        Assert.Equal(message, Assert.Throws<ClusterException>(() => PlacementConstraint.Parse(text)).Message);
}
