using Skep.Manager.Allocation;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.Manager.Scheduling;

/// <summary>What a task asks of its node, read once for all tasks of a service's version.</summary>
public sealed class TaskNeeds
{
    public TaskNeeds(SwarmTask task)
    {
        ServiceId = task.ServiceId;
        SpecVersion = task.SpecVersion;
        var placement = task.Spec.Placement;
        Reservations = task.Spec.Resources?.Reservations;
        Constraints = PlacementConstraint.ParseAll(placement?.Constraints);
        Platforms = [.. (placement?.Platforms ?? []).Where(p => !string.IsNullOrEmpty(p.OS) || !string.IsNullOrEmpty(p.Architecture))];
        MaxReplicas = placement?.MaxReplicas ?? 0;
        HostPorts = HostPortsOf(task);
        Spread = [.. (placement?.Preferences ?? []).Select(p => p.Spread?.SpreadDescriptor).OfType<string>()];
        LogDriver = (task.LogDriver ?? task.Spec.LogDriver)?.Name is { Length: > 0 } and not "none" and { } log ? log : null;
        VolumeDrivers = [.. (task.Spec.ContainerSpec?.Mounts ?? [])
            .Select(m => m.VolumeOptions?.DriverConfig?.Name)
            .Where(name => !string.IsNullOrEmpty(name)).OfType<string>().Distinct()];
    }

    public string ServiceId { get; }
    public ulong SpecVersion { get; }
    public ResourceAmounts? Reservations { get; }
    public IReadOnlyList<PlacementConstraint> Constraints { get; }
    public IReadOnlyList<Platform> Platforms { get; }
    public ulong MaxReplicas { get; }
    public IReadOnlyList<(string Protocol, uint Port)> HostPorts { get; }

    /// <summary>Labels over whose values the tasks are spread, outermost first.</summary>
    public IReadOnlyList<string> Spread { get; }

    public string? LogDriver { get; }
    public IReadOnlyList<string> VolumeDrivers { get; }

    /// <summary>Fixed ports on the node itself; a port of 0 is the node's kernel to choose and clashes with nothing.</summary>
    public static IReadOnlyList<(string Protocol, uint Port)> HostPortsOf(SwarmTask task) =>
        task.Endpoint?.Ports is not { Count: > 0 } ports
            ? []
            : [.. ports.Where(p => PortRules.IsHost(p) && p.PublishedPort is > 0).Select(p => (PortRules.Protocol(p), p.PublishedPort!.Value))];
}
