using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Rules.Labels;
using Skep.Model.Specs;

namespace Skep.Manager.Control;

/// <summary>Ports of a service beside those of all others.</summary>
internal static class ServicePorts
{
    public static void Check(ServiceSpec spec, string serviceId, StoreView view)
    {
        var ports = spec.EndpointSpec?.Ports ?? [];
        if (ports.Any(p => p.PublishMode != PortConfig.Host) && !view.Networks.Values.Any(n => n.Spec.Ingress))
        {
            throw RpcText.Precondition("service needs ingress network, but no ingress network is present");
        }

        if (RestrictsHostPorts(spec) && !view.Networks.Values.Any(n => n.Spec.Ingress))
        {
            throw RpcText.Precondition(
                $"labels {LabelNames.Publish}… need the ingress network, with which nodes are told of them, and no ingress network is present; docker network create -d overlay --ingress ingress makes it");
        }

        var wanted = ports.Where(p => p.PublishedPort is > 0).ToArray();
        if (wanted.Length == 0)
        {
            return;
        }

        foreach (var other in view.Services.Values.Where(s => s.Id != serviceId))
        {
            foreach (var port in wanted)
            {
                Check(port, other);
            }
        }
    }

    /// <summary>Labels restrict a port of mode host. Nodes are told of that with the ingress network's services.</summary>
    public static bool RestrictsHostPorts(ServiceSpec spec)
    {
        var publish = ServiceLabels.Of(spec).Publish;
        return (spec.EndpointSpec?.Ports ?? []).Any(p => p.PublishMode == PortConfig.Host
            && publish.Any(l => l is not { Addresses: null, Sources: null } && (p.PublishedPort ?? 0) >= (l.IsGeneral ? 0 : l.First) && p.PublishedPort.GetValueOrDefault() <= l.Last));
    }

    // Two services may publish one port on the hosts: the scheduler keeps them apart, node by node.
    private static void Check(PortConfig port, SwarmService other)
    {
        foreach (var taken in (other.Spec.EndpointSpec?.Ports ?? []).Concat(other.Endpoint?.Ports ?? []))
        {
            var bothHost = port.PublishMode == PortConfig.Host && taken.PublishMode == PortConfig.Host;
            if (taken.PublishedPort == port.PublishedPort && taken.Protocol == port.Protocol && !bothHost)
            {
                var how = taken.PublishMode == PortConfig.Host ? "a host-published" : "an ingress";
                throw RpcText.Invalid($"port '{port.PublishedPort}' is already in use by service '{other.Spec.Name}' ({other.Id}) as {how} port");
            }
        }
    }
}
