using System.Net.Sockets;
using Skep.Manager.Orchestration;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.Manager.Allocation;

/// <summary>
/// Gives services their virtual addresses and published ports. What a service has it keeps while its wish still names it, so an
/// update changes nothing that clients hold on to.
/// </summary>
public static class EndpointAllocator
{
    /// <summary>Brings the service's endpoint to what its spec asks for. Null, or why it could not.</summary>
    public static string? Allocate(WorkingSet work, SwarmService service)
    {
        var spec = service.Spec.EndpointSpec ?? new EndpointSpec();
        var (ports, portError) = Ports(work, service, spec);
        if (portError is not null)
        {
            return portError;
        }

        var vips = new List<VirtualIp>();
        string? error = null;
        foreach (var networkId in spec.Mode == EndpointSpec.DnsRoundRobin ? [] : NetworksOf(work, service.Spec, ref error))
        {
            foreach (var family in FamiliesOf(work, networkId))
            {
                var kept = service.Endpoint?.VirtualIPs.FirstOrDefault(v =>
                    v.NetworkID == networkId && AddressRange.Read(v.Addr)?.Family == family && IsOwn(work, service, v));
                if ((kept?.Addr ?? work.Books.Addresses.Take(networkId, service.Id, family)) is not { } address)
                {
                    error ??= Exhaustion.Of(work, networkId, family);
                    break;
                }

                vips.Add(new VirtualIp(networkId, address));
            }
        }

        if (error is not null)
        {
            // What was taken for this attempt goes back; what the service had stays its own.
            work.Books.Addresses.Set(service);
            return error;
        }

        if (!IsSame(service.Endpoint, spec, ports, vips))
        {
            work.Update(service with { Endpoint = new ServiceEndpoint { Spec = spec, Ports = ports, VirtualIPs = vips } });
        }

        return null;
    }

    /// <summary>The overlay networks of a service in their order: ingress first when it publishes there.</summary>
    public static IReadOnlyList<string> NetworksOf(WorkingSet work, ServiceSpec spec, ref string? error)
    {
        var networks = new List<string>();
        if (PortRules.HasIngress(spec.EndpointSpec))
        {
            if (work.IngressNetwork is not { } ingress)
            {
                error ??= "service needs ingress network, but no ingress network is present";
                return [];
            }

            networks.Add(ingress.Id);
        }

        foreach (var target in (spec.TaskTemplate.Networks ?? spec.Networks ?? []).Select(n => n.Target))
        {
            if (work.Network(target) is not { } network)
            {
                error ??= $"network {target} not found";
            }
            else if (NetworkAllocator.IsOverlay(network) && !networks.Contains(target))
            {
                networks.Add(target);
            }
        }

        foreach (var network in networks.Select(work.Network).OfType<SwarmNetwork>().Where(n => !NetworkAllocator.IsAllocated(n)))
        {
            error ??= network.AllocationError is { } reason
                ? $"network \"{network.Spec.Name}\" has no addresses: {reason}"
                : $"network \"{network.Spec.Name}\" has no addresses yet";
        }

        return error is null ? networks : [];
    }

    // Nobody uses the virtual address of a service on ingress, where ports lead to tasks; it is there because clients look for it.
    private static IEnumerable<AddressFamily> FamiliesOf(WorkingSet work, string networkId)
    {
        var families = work.Books.Addresses.Pool(networkId).Families;
        return work.IngressNetwork?.Id == networkId ? families.Take(1) : families;
    }

    private static bool IsOwn(WorkingSet work, SwarmService service, VirtualIp vip)
    {
        var pool = work.Books.Addresses.Pool(vip.NetworkID);
        return pool.Covers(vip.Addr) && pool.OwnerOf(vip.Addr) == service.Id;
    }

    private static (IReadOnlyList<PortConfig> Ports, string? Error) Ports(WorkingSet work, SwarmService service, EndpointSpec spec)
    {
        var wanted = spec.Ports ?? [];
        var book = work.Books.Ports;
        var chosen = wanted.Where(p => PortRules.IsIngress(p) && p.PublishedPort is > 0)
            .Select(p => (PortRules.Protocol(p), p.PublishedPort!.Value)).ToHashSet();
        foreach (var (protocol, port) in chosen)
        {
            if (book.OwnerOf(protocol, port) is { } owner && owner != service.Id)
            {
                var name = work.Service(owner)?.Spec.Name ?? owner;
                return ([], $"port '{port}' is already in use by service '{name}' ({owner}) as an ingress port");
            }
        }

        var ports = new List<PortConfig>();
        foreach (var port in wanted)
        {
            if (PortRules.IsHost(port) || port.PublishedPort is > 0)
            {
                ports.Add(port);
                continue;
            }

            var protocol = PortRules.Protocol(port);
            var number = Sticky(service, port, chosen) ?? book.NextDynamic(protocol, chosen);
            if (number is null)
            {
                return ([], $"no port of {PortBook.FirstDynamic}-{PortBook.LastDynamic}/{protocol} is free");
            }

            chosen.Add((protocol, number.Value));
            ports.Add(port with { PublishedPort = number });
        }

        return (ports, null);
    }

    /// <summary>The number that the same entry of the spec has already.</summary>
    private static uint? Sticky(SwarmService service, PortConfig port, HashSet<(string, uint)> chosen) =>
        service.Endpoint?.Ports.FirstOrDefault(had =>
            PortRules.IsIngress(had) && had.Name == port.Name && had.TargetPort == port.TargetPort
            && PortRules.Protocol(had) == PortRules.Protocol(port)
            && had.PublishedPort is >= PortBook.FirstDynamic and <= PortBook.LastDynamic
            && !chosen.Contains((PortRules.Protocol(had), had.PublishedPort.Value)))?.PublishedPort;

    private static bool IsSame(ServiceEndpoint? now, EndpointSpec spec, IReadOnlyList<PortConfig> ports, List<VirtualIp> vips) =>
        now is not null
        && (now.Spec.Mode ?? "") == (spec.Mode ?? "")
        && (now.Spec.Ports ?? []).SequenceEqual(spec.Ports ?? [])
        && now.Ports.SequenceEqual(ports)
        && now.VirtualIPs.SequenceEqual(vips);
}
