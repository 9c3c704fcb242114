using System.Net;
using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Http.Swarm;
using Skep.EngineApi.Networks;
using Skep.Manager.Control;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Rules;

namespace Skep.Daemon.Http.Networks;

/// <summary>Every network that this node knows of: the cluster's, on a manager; those it takes part in; and its own.</summary>
internal sealed class NetworkCatalog(EngineServices services, ManagerAccess manager)
{
    public IReadOnlyList<NetworkInspect> List(Filters filters)
    {
        var view = manager.Find()?.View;
        var prefixes = view is null ? [] : HostOverlaps.PrefixesOf(view.Nodes.Values).ToList();
        // A worker knows the networks that it takes part in, as a worker of Docker does.
        var cluster = view is null
            ? services.Network.DescribeNetworks().Select(LocalNetworks.OfSwarm)
            : view.Networks.Values.OrderBy(n => n.CreatedAt).Select(n => LocalNetworks.WithLocalPart(WithOverlaps(NetworkInspect.Of(n), n, view, prefixes), services.Network.Describe(n.Id)));
        return [.. cluster.Concat(LocalNetworks.All(services.Network, services.Identity)).Where(n => Matches(n, filters))];
    }

    /// <summary>The nodes that have other uses for the network's addresses, as an option: inspect has no better place.</summary>
    private static NetworkInspect WithOverlaps(NetworkInspect shape, SwarmNetwork network, StoreView view, IReadOnlyList<IPNetwork> prefixes)
    {
        if (!HostOverlaps.Meets(network.Subnets, prefixes))
        {
            return shape;
        }

        var overlaps = string.Join("; ", HostOverlaps.Of(network.Subnets, view.Nodes.Values));
        return shape with
        {
            Options = new Dictionary<string, string>(shape.Options ?? new Dictionary<string, string>(), StringComparer.Ordinal) { ["skep.overlaps"] = overlaps },
        };
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

        throw ClusterException.NotFound("network", reference);
    }

    /// <summary>The same with what is counted on the ways of an encrypted network.</summary>
    public NetworkInspect Inspect(string reference, string? scope) => LocalNetworks.WithEncryption(Find(reference, scope), services.Network.EncryptedNetworks);

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
