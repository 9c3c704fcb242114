using Skep.Agent.Tasks;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;

namespace Skep.UnitTests.Agent.Tasks;

public sealed class TaskRecipeTests
{
    private static readonly SwarmNode s_node = new()
    {
        Id = "node1",
        Description = new NodeDescription { Hostname = "host1", Platform = new Platform { Architecture = "x86_64", OS = "linux" } },
    };

    private static readonly SwarmTask s_task = new()
    {
        Id = "task1",
        NodeId = "node1",
        ServiceId = "svc1",
        ServiceName = "web",
        ServiceLabels = new Dictionary<string, string> { ["tier"] = "front" },
        Slot = 3,
        Spec = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "web:1" } },
    };

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("{{.Service.ID}}/{{.Service.Name}}", "svc1/web")]
    [InlineData("{{ .Node.ID }}-{{.Node.Hostname}}", "node1-host1")]
    [InlineData("{{.Node.Platform.Architecture}} {{.Node.Platform.OS}}", "x86_64 linux")]
    [InlineData("{{.Task.ID}} {{.Task.Name}} {{.Task.Slot}}", "task1 web.3.task1 3")]
    [InlineData("{{index .Service.Labels \"tier\"}}", "front")]
    [InlineData("{{.Service.Labels.tier}}", "front")]
    public void Placeholders_are_filled_in(string text, string expected) => Assert.Equal(expected, new TaskTemplate(s_task, s_node).Expand(text));

    [Theory]
    [InlineData("{{.Service.Password}}")]
    [InlineData("{{index .Service.Labels \"absent\"}}")]
    public void A_placeholder_that_is_not_known_is_refused(string text) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ClusterException>(() => new TaskTemplate(s_task, s_node).Expand(text)).Kind);

    [Fact]
    public void Without_networks_the_host_name_has_the_gateway_bridges_address()
    {
        var task = With(s_task, new ContainerSpec { Image = "web:1", Hostname = "alone" });
        var sandbox = new Sandbox("c", "/run/docker/netns/x") { Interfaces = [new SandboxInterface("eth0", "id", "docker_gwbridge", "02:42:ac:12:00:03", ["172.18.0.3/16"])] };
        Assert.Equal(["172.18.0.3 alone"], TaskRecipe.Container(task, s_node, sandbox).Hosts);
    }

    [Fact]
    public void The_task_of_a_global_service_has_its_nodes_id_for_a_slot() =>
        Assert.Equal("node1", new TaskTemplate(s_task with { Slot = 0 }, s_node).Expand("{{.Task.Slot}}"));

    [Fact]
    public void A_recipe_says_whose_container_it_is_and_where_it_stands()
    {
        var task = With(s_task, new ContainerSpec
        {
            Image = "web:1",
            Env = ["NODE={{.Node.Hostname}}"],
            Hostname = "{{.Service.Name}}-{{.Task.Slot}}",
            Hosts = ["192.0.2.7 other"],
            StopGracePeriod = 3_000_000_000,
            Labels = new Dictionary<string, string> { ["mine"] = "yes", ["com.docker.swarm.task.id"] = "forged" },
            Mounts = [new Mount { Type = "volume", Source = "data-{{.Task.Slot}}", Target = "/data" }],
        }) with
        { Attachments = [new TaskAttachment("net1", ["10.0.1.5/24"])] };
        var recipe = TaskRecipe.Container(task, s_node, new Sandbox("c", "/run/docker/netns/x") { ResolvConf = "nameserver 127.0.0.11\n" });

        Assert.Equal((ContainerId.Of("task1"), "web.3.task1", "web-3"), (recipe.Id, recipe.Name, recipe.Hostname));
        Assert.Equal(["NODE=host1"], recipe.Env);
        Assert.Equal(["10.0.1.5 web-3", "192.0.2.7 other"], recipe.Hosts);
        Assert.Equal("data-3", Assert.Single(recipe.Mounts).Source);
        Assert.Equal(TimeSpan.FromSeconds(3), recipe.StopGracePeriod);
        Assert.Equal(("yes", "task1", "svc1"), (recipe.Labels["mine"], recipe.Labels["com.docker.swarm.task.id"], recipe.Labels["com.docker.swarm.service.id"]));
        Assert.Equal(("/run/docker/netns/x", "nameserver 127.0.0.11\n"), (recipe.NetworkNamespace, recipe.ResolvConf));
    }

    [Fact]
    public void What_no_container_can_be_made_of_is_refused()
    {
        Assert.Throws<ClusterException>(() => TaskRecipe.Container(s_task with { Spec = new TaskSpec() }, s_node, null));
        Assert.Throws<ClusterException>(() => TaskRecipe.Container(With(s_task, new ContainerSpec()), s_node, null));
    }

    [Fact]
    public void A_place_is_asked_for_once_every_network_is_in_the_plan()
    {
        var task = s_task with
        {
            Attachments = [new TaskAttachment("net1", ["10.0.1.5/24"]), new TaskAttachment("net2", ["10.0.2.5/24"])],
            Endpoint = new EndpointSpec { Ports = [new PortConfig { PublishMode = PortConfig.Host, TargetPort = 80 }, new PortConfig { TargetPort = 81 }] },
        };
        var half = NodePlan.Empty with { Networks = NodePlan.Empty.Networks.Add("net1", new NetworkPlan(new PlanNetwork("net1", "one", 1, []))) };
        Assert.Null(TaskRecipe.Sandbox(task, half));

        var whole = half with { Networks = half.Networks.Add("net2", new NetworkPlan(new PlanNetwork("net2", "two", 2, []))) };
        var request = TaskRecipe.Sandbox(task, whole)!;
        Assert.Equal(["one", "two"], request.Attachments.Select(a => a.Network.Name));
        Assert.Equal(80u, Assert.Single(request.HostPorts).TargetPort);
    }

    private static SwarmTask With(SwarmTask task, ContainerSpec spec) => task with { Spec = new TaskSpec { ContainerSpec = spec } };
}
