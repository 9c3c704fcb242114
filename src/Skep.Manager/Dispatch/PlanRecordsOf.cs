using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Dispatch;

/// <summary>The records of the plan, made from the objects of the store. Pure.</summary>
internal static class PlanRecordsOf
{
    public static PlanNetwork Network(SwarmNetwork network) => new(network.Id, network.Spec.Name, network.Vni, network.Subnets)
    {
        Ingress = network.Spec.Ingress,
        Internal = network.Spec.Internal,
        Encrypted = EncryptionRules.IsEncrypted(network.Spec),
        EnableIPv6 = network.Spec.EnableIPv6,
        Mtu = MtuRules.Of(network.Spec),
    };

    /// <summary>Without the network's id, which the caller gives.</summary>
    public static PlanPeer Peer(SwarmNode node) => new("", node.Id, node.DataPathAddress)
    {
        Hostname = node.Description?.Hostname ?? "",
        CipherGeneration = node.Description?.CipherGeneration is { Length: > 0 } generation ? generation : null,
        IngressAddress = node.IngressAddress,
        IngressAddress6 = node.IngressAddress6,
    };

    public static PlanEndpoint Endpoint(SwarmTask task, TaskAttachment attachment)
    {
        var container = ContainerId.Of(task.Id);
        var names = new List<string> { task.Name, ContainerId.Short(container) };
        names.AddRange(attachment.Aliases ?? []);
        if (task.Spec.ContainerSpec?.Hostname is { Length: > 0 } hostname && !hostname.Contains("{{", StringComparison.Ordinal))
        {
            names.Add(hostname);
        }

        return new PlanEndpoint(attachment.NetworkId, task.Id, task.NodeId, attachment.Addresses)
        {
            ServiceId = task.ServiceId,
            State = StateOf(task),
            Names = names,
        };
    }

    /// <summary>
    /// The service on each of its networks; on the ingress network with its published ports and who may reach them, also for a service
    /// that publishes on the tasks' own nodes alone.
    /// </summary>
    public static List<PlanService> Services(SwarmService service, string? ingressId, PlanBalance? balance, IReadOnlyList<PlanPortAccess>? access)
    {
        var ports = service.Endpoint?.Ports ?? [];
        // Also without restrictions: a record that goes is one of a service that is gone, whose last tasks keep those that it had.
        var hosted = ingressId is not null && ports.Any(p => p.PublishMode == PortConfig.Host);
        var services = new List<PlanService>();
        foreach (var networkId in NetworksOf(service).Concat(hosted ? [ingressId!] : []).Distinct())
        {
            services.Add(new PlanService(
                networkId,
                service.Id,
                service.Spec.Name,
                [.. (service.Endpoint?.VirtualIPs ?? []).Where(v => v.NetworkID == networkId).Select(v => v.Addr)])
            {
                Aliases = Attachments(service).FirstOrDefault(n => n.Target == networkId)?.Aliases ?? [],
                Ports = networkId == ingressId ? [.. ports.Where(p => p.PublishMode is not PortConfig.Host)] : [],
                Balance = balance,
                Access = networkId == ingressId ? access : null,
            });
        }

        return services;
    }

    private static IEnumerable<string> NetworksOf(SwarmService service) =>
        Attachments(service).Select(n => n.Target)
            .Concat((service.Endpoint?.VirtualIPs ?? []).Select(v => v.NetworkID))
            .Distinct();

    private static IReadOnlyList<NetworkAttachmentConfig> Attachments(SwarmService service) =>
        service.Spec.TaskTemplate.Networks ?? service.Spec.Networks ?? [];

    /// <summary>How far the task takes part in balancing.</summary>
    public static EndpointState StateOf(SwarmTask task) => task switch
    {
        { DesiredState: > TaskState.Running } or { Status: { State: TaskState.Running, Unhealthy: true } } => EndpointState.Draining,
        { Status.State: TaskState.Running } => EndpointState.Active,
        _ => EndpointState.Starting,
    };
}
