using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.UnitTests.Model.Rules;

public sealed class ServiceRulesTests
{
    private static readonly ServiceSpec s_good = new() { Name = "web", TaskTemplate = new() { ContainerSpec = new() { Image = "nginx" } } };

    [Theory]
    [InlineData("nginx", true)]
    [InlineData("10.77.0.1:5000/busybox:latest@sha256:5b2896de5d18e5a2f7ddd7c737c826fc33a9389fd237575215f6fb89d9d55881", true)]
    [InlineData("docker.io/library/a__b.c-d:V1_2.3-4", true)]
    [InlineData("Registry.example/x", true)]
    [InlineData("x/UPPER:latest", false)]
    [InlineData("Bad Image", false)]
    [InlineData("busybox:bad:tag", false)]
    [InlineData("a//b", false)]
    [InlineData("", false)]
    public void Images(string image, bool good)
    {
        var problems = ServiceRules.Check(s_good with { TaskTemplate = new() { ContainerSpec = new() { Image = image } } });
        Assert.Equal(good, problems.IsEmpty);
    }

    [Theory]
    [InlineData("web", true)]
    [InlineData("a-b_c1", true)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("a.b", false)]
    [InlineData("", false)]
    [InlineData("a123456789b123456789c123456789d123456789e123456789f123456789g123", false)]
    public void Names(string name, bool good) => Assert.Equal(good, ServiceRules.Check(s_good with { Name = name }).IsEmpty);

    [Fact]
    public void Duplicate_ports_and_ingress_ports_of_dnsrr_are_two_problems()
    {
        var port = new PortConfig { Protocol = "tcp", PublishMode = "ingress", TargetPort = 80, PublishedPort = 80 };
        var problems = ServiceRules.Check(s_good with { EndpointSpec = new() { Mode = "dnsrr", Ports = [port, port with { TargetPort = 81 }, port with { Protocol = "udp" }] } });
        Assert.Equal(
            ["EndpointSpec: duplicate published ports provided", "EndpointSpec: port published with ingress mode can't be used with dnsrr mode"],
            problems.Select(p => p.Text));
    }

    [Fact]
    public void What_is_not_done_is_said()
    {
        Assert.Null(ServiceRules.Unsupported(s_good with { UpdateConfig = new() { FailureAction = "pause", Monitor = 1 } }));
        Assert.Contains("rollback", ServiceRules.Unsupported(s_good with { UpdateConfig = new() { FailureAction = "rollback" } }), StringComparison.Ordinal);
        Assert.Contains("jobs", ServiceRules.Unsupported(s_good with { Mode = new() { GlobalJob = new() } }), StringComparison.Ordinal);
        Assert.Contains("secrets", ServiceRules.Unsupported(s_good with { TaskTemplate = new() { ContainerSpec = new() { Secrets = [new()] } } }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wish_is_made_whole_without_adding_to_it()
    {
        var read = new ServiceSpec { Name = null!, Labels = null!, TaskTemplate = null!, Mode = null!, EndpointSpec = new() { Ports = [new() { TargetPort = 1, PublishedPort = 0 }] } };
        var whole = SpecCompletion.Complete(read);
        Assert.Equal(("", 1UL), (whole.Name, whole.Mode.Replicated!.Replicas));
        Assert.Equal(new PortConfig { Protocol = "tcp", PublishMode = "ingress", TargetPort = 1 }, whole.EndpointSpec!.Ports![0]);
        Assert.Null(whole.TaskTemplate.RestartPolicy);
        Assert.Null(SpecCompletion.Complete(s_good with { TaskTemplate = new() { ContainerSpec = new() { PullOptions = new() { RegistryAuth = "x" } } } }).TaskTemplate.ContainerSpec!.PullOptions);
    }
}
