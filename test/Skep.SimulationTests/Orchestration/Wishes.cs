using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.SimulationTests.Orchestration;

/// <summary>Short words for specs and counts.</summary>
internal static class Wishes
{
    public static ServiceSpec Replicas(this ServiceSpec spec, ulong count) =>
        spec with { Mode = new ServiceMode { Replicated = new ReplicatedMode { Replicas = count } } };

    public static ServiceSpec Everywhere(this ServiceSpec spec) => spec with { Mode = new ServiceMode { Global = new GlobalMode() } };

    public static ServiceSpec Image(this ServiceSpec spec, string image) =>
        spec with { TaskTemplate = spec.TaskTemplate with { ContainerSpec = (spec.TaskTemplate.ContainerSpec ?? new ContainerSpec()) with { Image = image } } };

    public static ServiceSpec On(this ServiceSpec spec, params string[] networks) =>
        spec with { TaskTemplate = spec.TaskTemplate with { Networks = [.. networks.Select(n => new NetworkAttachmentConfig { Target = n })] } };

    public static ServiceSpec Where(this ServiceSpec spec, params string[] constraints) =>
        spec with { TaskTemplate = spec.TaskTemplate with { Placement = new Placement { Constraints = constraints } } };

    public static ServiceSpec Restarts(this ServiceSpec spec, RestartPolicy policy) =>
        spec with { TaskTemplate = spec.TaskTemplate with { RestartPolicy = policy } };

    public static ServiceSpec Publishes(this ServiceSpec spec, params PortConfig[] ports) => spec with { EndpointSpec = new EndpointSpec { Ports = ports } };

    public static IEnumerable<SwarmTask> Running(this SimulatedSwarm swarm, string service) =>
        swarm.View.TasksOfService(service).Where(t => t.Status.State == TaskState.Running && t.DesiredState <= TaskState.Running);

    public static NodeStatus Down(this NodeStatus status) => status with { State = NodeState.Down };

    public static SwarmNetwork Network(string id, string? subnet = null) => new()
    {
        Id = id,
        Spec = new NetworkSpec
        {
            Name = id,
            IPAMOptions = subnet is null ? null : new IpamOptions { Configs = [new IpamConfig { Subnet = subnet }] },
        },
    };
}
