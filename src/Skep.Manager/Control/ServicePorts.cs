using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Rules;
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
