using System.Globalization;
using Skep.Agent.Runtime;
using Skep.Daemon.Http.Networks;
using Skep.EngineApi.Containers;
using Skep.Network;

namespace Skep.Daemon.Http.Containers;

/// <summary>
/// A container's networks and ports. The gateway bridge is this node's way out, not a network that anybody asked for: as in Docker it
/// is not listed here but in <c>docker network inspect docker_gwbridge</c>.
/// </summary>
internal static class NetworkShapes
{
    private const string AnyAddress = "0.0.0.0";
    private const string None = "none";

    public static NetworkSettingsShape Settings(ContainerSnapshot container, Sandbox? sandbox) =>
        new(sandbox is null ? "" : container.Id, sandbox?.NamespacePath ?? container.Recipe.NetworkNamespace ?? "", Endpoints(container, sandbox))
        {
            Ports = Bindings(container, sandbox),
        };

    public static IReadOnlyDictionary<string, EndpointShape> Endpoints(ContainerSnapshot container, Sandbox? sandbox)
    {
        var endpoints = new Dictionary<string, EndpointShape>(StringComparer.Ordinal);
        foreach (var place in sandbox?.Interfaces ?? [])
        {
            if (place.NetworkName != LocalNetworks.GatewayBridge)
            {
                endpoints[place.NetworkName] = Endpoint(container, place);
            }
        }

        if (endpoints.Count == 0 && container.Recipe.NetworkNamespace is null)
        {
            endpoints[None] = new EndpointShape("", "");
        }

        return endpoints;
    }

    public static IReadOnlyList<PortShape> Ports(ContainerSnapshot container, Sandbox? sandbox)
    {
        var published = container.IsRunning() ? sandbox?.HostPorts ?? [] : [];
        var taken = published.Select(p => (p.TargetPort, Protocol(p.Protocol))).ToHashSet();
        var exposed = container.IsRunning() ? container.Config.ExposedPorts.Select(Exposed).Where(p => !taken.Contains(p)) : [];
        return
        [
            .. published.Select(p => new PortShape(AnyAddress, p.TargetPort, p.PublishedPort, Protocol(p.Protocol))),
            .. exposed.Select(p => new PortShape(null, p.Port, null, p.Protocol)),
        ];
    }

    private static EndpointShape Endpoint(ContainerSnapshot container, SandboxInterface place)
    {
        var four = Prefix(place.Addresses.FirstOrDefault(a => !a.Contains(':', StringComparison.Ordinal)));
        var six = Prefix(place.Addresses.FirstOrDefault(a => a.Contains(':', StringComparison.Ordinal)));
        return new(place.NetworkId, place.EndpointId)
        {
            IPAMConfig = four.Address.Length + six.Address.Length == 0 ? null : new EndpointIpam(OrAbsent(four.Address), OrAbsent(six.Address)),
            Aliases = [container.Id[..Math.Min(12, container.Id.Length)]],
            MacAddress = place.Mac,
            Gateway = place.Gateway?.ToString() ?? "",
            IPAddress = four.Address,
            IPPrefixLen = four.Length,
            GlobalIPv6Address = six.Address,
            GlobalIPv6PrefixLen = six.Length,
            IPv6Gateway = place.Gateway6?.ToString() ?? "",
        };
    }

    private static Dictionary<string, IReadOnlyList<PortBinding>?> Bindings(ContainerSnapshot container, Sandbox? sandbox)
    {
        var bindings = container.Config.ExposedPorts.Distinct().ToDictionary(p => p, _ => (IReadOnlyList<PortBinding>?)null, StringComparer.Ordinal);
        foreach (var port in (sandbox?.HostPorts ?? []).GroupBy(p => string.Create(CultureInfo.InvariantCulture, $"{p.TargetPort}/{Protocol(p.Protocol)}")))
        {
            bindings[port.Key] = [.. port.Select(p => new PortBinding(AnyAddress, (p.PublishedPort ?? 0).ToString(CultureInfo.InvariantCulture)))];
        }

        return bindings;
    }

    private static (string Address, int Length) Prefix(string? prefix) =>
        prefix?.Split('/') is [var address, var length] ? (address, int.Parse(length, CultureInfo.InvariantCulture)) : ("", 0);

    private static string? OrAbsent(string address) => address.Length == 0 ? null : address;

    private static string Protocol(string? protocol) => string.IsNullOrEmpty(protocol) ? "tcp" : protocol;

    /// <summary>80/tcp or 80.</summary>
    private static (uint Port, string Protocol) Exposed(string text)
    {
        var parts = text.Split('/');
        return (uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0, Protocol(parts.ElementAtOrDefault(1)));
    }
}
