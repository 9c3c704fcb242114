using System.Net;
using Skep.Manager.Allocation;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Control;

/// <summary>The cluster's networks.</summary>
public sealed class NetworkControl(IClusterStore store, TimeProvider clock)
{
    private const string PredefinedLabel = "com.docker.swarm.predefined";

    /// <summary>Makes a network and returns its id; subnet and identifier come a moment later, from the allocator.</summary>
    public async Task<string> CreateAsync(NetworkSpec spec, CancellationToken cancellationToken)
    {
        Problem.Refuse(NetworkRules.Check(spec));
        if (NetworkRules.Unsupported(spec) is { } sentence)
        {
            throw new ClusterException(ErrorKind.NotImplemented, sentence);
        }

        if (spec.Labels.ContainsKey(PredefinedLabel))
        {
            throw new ClusterException(ErrorKind.Forbidden, $"label {PredefinedLabel} is for internally created predefined networks and cannot be applied by users");
        }

        var view = store.Current;
        if (view.NetworkNamed(spec.Name) is not null)
        {
            throw AlreadyExists(spec.Name);
        }

        if (spec.Ingress && view.Networks.Values.FirstOrDefault(n => n.Spec.Ingress) is { } ingress)
        {
            throw RpcText.Refusal(ErrorKind.Conflict, $"ingress network ({ingress.Id}) is already present");
        }

        RefuseOverlap(view, spec);
        var now = clock.GetUtcNow();
        var network = new SwarmNetwork { Id = ObjectId.New(), CreatedAt = now, UpdatedAt = now, Spec = spec };
        try
        {
            await store.CommitAsync(new StoreTransaction().Create(network), cancellationToken);
        }
        catch (ClusterException taken) when (taken.Kind == ErrorKind.Conflict)
        {
            throw AlreadyExists(spec.Name);
        }

        return network.Id;
    }

    /// <summary>Told at once, with the other network's name; Swarm takes the request and leaves its tasks waiting.</summary>
    private static void RefuseOverlap(StoreView view, NetworkSpec spec)
    {
        foreach (var wished in (spec.IPAMOptions?.Configs ?? []).Select(c => c.Subnet).OfType<string>())
        {
            var other = view.Networks.Values.FirstOrDefault(n => Subnets(n).Any(s => Overlap(s, wished)));
            if (other is not null)
            {
                throw RpcText.Invalid($"{NetworkAllocator.Overlaps}: {wished} overlaps a subnet of network {other.Spec.Name}");
            }
        }

        if (!HostOverlaps.IsAllowed(spec) && HostOverlaps.Of(spec.IPAMOptions?.Configs ?? [], view.Nodes.Values).ToList() is [var first, ..] all)
        {
            var more = all.Count == 1 ? "" : $" and {all.Count - 1} more";
            throw RpcText.Invalid($"{NetworkAllocator.Overlaps}: it overlaps {first}{more}; --opt {HostOverlaps.AllowOption}=allow makes the network all the same");
        }
    }

    /// <summary>Allocated, or wished for while the allocator has not come to it.</summary>
    private static IEnumerable<string> Subnets(SwarmNetwork network) =>
        network.Subnets.Concat(network.Spec.IPAMOptions?.Configs ?? []).Select(c => c.Subnet).OfType<string>();

    private static bool Overlap(string one, string other) =>
        IPNetwork.TryParse(one, out var a) && IPNetwork.TryParse(other, out var b) && AddressRange.Overlap(a, b);

    public async Task RemoveAsync(string id, CancellationToken cancellationToken) =>
        await store.EditAsync(
            view => view.Networks.TryGetValue(id, out var network) ? Removal(view, network) : new StoreTransaction(), cancellationToken);

    /// <summary>Removes every network that nothing uses (never the ingress network) and that <paramref name="chosen"/> allows; returns their names.</summary>
    public async Task<IReadOnlyList<string>> PruneAsync(Func<SwarmNetwork, bool> chosen, CancellationToken cancellationToken)
    {
        var removed = new List<string>();
        var view = store.Current;
        foreach (var network in view.Networks.Values.Where(n => !n.Spec.Ingress && UserOf(view, n) is null && chosen(n)))
        {
            try
            {
                await RemoveAsync(network.Id, cancellationToken);
                removed.Add(network.Spec.Name);
            }
            catch (ClusterException used) when (used.Kind == ErrorKind.FailedPrecondition)
            {
                // Somebody has begun to use it since.
            }
        }

        return removed;
    }

    /// <summary>
    /// "service x" or "task x" that uses the network; null when there is none. A task that only awaits its end does not hold it:
    /// <c>docker stack rm</c> removes services and their networks in one breath.
    /// </summary>
    public static string? UserOf(StoreView view, SwarmNetwork network)
    {
        var service = view.Services.Values.FirstOrDefault(s =>
            (s.Spec.TaskTemplate.Networks ?? s.Spec.Networks ?? []).Any(n => n.Target == network.Id));
        if (service is not null)
        {
            return $"service {service.Id}";
        }

        var task = view.Tasks.Values.FirstOrDefault(t =>
            t is { Status.State: <= TaskState.Running, DesiredState: <= TaskState.Running }
            && (t.ServiceId.Length == 0 || view.Services.ContainsKey(t.ServiceId))
            && t.Attachments.Any(a => a.NetworkId == network.Id));
        return task is null ? null : $"task {task.Id}";
    }

    private static StoreTransaction Removal(StoreView view, SwarmNetwork network)
    {
        if (network.Spec.Ingress)
        {
            if (view.Services.Values.FirstOrDefault(NeedsIngress) is { } service)
            {
                throw RpcText.Precondition($"ingress network cannot be removed because service {service.Id} depends on it");
            }
        }
        else if (UserOf(view, network) is { } user)
        {
            throw RpcText.Precondition($"network {network.Id} is in use by {user}");
        }

        return new StoreTransaction().Remove(network);
    }

    private static bool NeedsIngress(SwarmService service) =>
        (service.Spec.EndpointSpec?.Ports ?? []).Any(p => p.PublishMode != PortConfig.Host) || ServicePorts.RestrictsHostPorts(service.Spec);

    private static ClusterException AlreadyExists(string name) => new(ErrorKind.Conflict, $"network with name {name} already exists");
}
