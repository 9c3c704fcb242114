using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Http.Swarm;
using Skep.EngineApi.Networks;
using Skep.Manager.Control;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Networks;

/// <summary>Every network that this node knows of: the cluster's, on a manager; those it takes part in; and its own.</summary>
internal sealed class NetworkCatalog(EngineServices services, ManagerAccess manager)
{
    public IReadOnlyList<NetworkInspect> List(Filters filters)
    {
        var view = manager.Find()?.View;
        IEnumerable<NetworkInspect> cluster = view is null
            ? []
            : view.Networks.Values.OrderBy(n => n.CreatedAt).Select(n => LocalNetworks.WithLocalPart(NetworkInspect.Of(n), services.Network.Describe(n.Id)));
        return [.. cluster.Concat(LocalNetworks.All(services.Network, services.Identity)).Where(n => Matches(n, filters))];
    }

    /// <summary>A network by its id, name or the beginning of its id.</summary>
    public NetworkInspect Find(string reference, string? scope)
    {
        var known = List(Filters.None).Where(n => string.IsNullOrEmpty(scope) || n.Scope == scope).ToArray();
        foreach (var match in new Func<NetworkInspect, bool>[]
        {
            n => n.Id == reference, n => n.Name == reference, n => reference.Length > 0 && n.Id.StartsWith(reference, StringComparison.Ordinal),
        })
        {
            var found = known.Where(match).ToArray();
            if (found.Length > 0)
            {
                return found.Length == 1 ? found[0] : throw ClusterException.Invalid($"network {reference} is ambiguous ({found.Length} matches found)");
            }
        }

        // A worker knows a cluster network that has a task here, by its id.
        return services.Network.Describe(reference) is { } local && scope is null or "" or "swarm"
            ? LocalNetworks.WithLocalPart(new NetworkInspect(local.Name, local.Id, local.CreatedAt, "swarm", "overlay"), local)
            : throw ClusterException.NotFound("network", reference);
    }

    public bool IsUsed(NetworkInspect network) =>
        network.Scope == "swarm" && manager.Find()?.View is { } view && view.Networks.TryGetValue(network.Id, out var stored)
            ? stored.Spec.Ingress || NetworkControl.UserOf(view, stored) is not null
            : network.Containers is { Count: > 0 } || IsBuiltIn(network);

    private static bool IsBuiltIn(NetworkInspect network) =>
        network.Scope == "local" && (LocalNetworks.IsPredefined(network.Name) || network.Name == LocalNetworks.GatewayBridge);

    private bool Matches(NetworkInspect network, Filters filters) =>
        filters.Any("driver", d => network.Driver == d)
        && filters.Any("id", id => network.Id.StartsWith(id, StringComparison.Ordinal))
        && filters.Any("name", name => network.Name.Contains(name, StringComparison.Ordinal))
        && filters.Any("scope", scope => network.Scope == scope)
        && filters.Any("type", type => type switch
        {
            "builtin" => LocalNetworks.IsPredefined(network.Name),
            "custom" => !LocalNetworks.IsPredefined(network.Name),
            _ => throw ClusterException.Invalid($"invalid filter: 'type'='{type}'"),
        })
        && filters.Labels("label", network.Labels)
        && (filters.Flag("dangling") is not { } dangling || (dangling ? !IsUsed(network) && !IsBuiltIn(network) : IsUsed(network)));
}
