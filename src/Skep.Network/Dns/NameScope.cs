using System.Net;
using Skep.Model.Specs;

namespace Skep.Network.Dns;

/// <summary>One task that offers a service: its name with the network's, its port and its addresses.</summary>
internal sealed record ServiceTarget(string Name, ushort Port, NameEntry Addresses);

/// <summary>What one sandbox can ask for: the names of its networks, in the order of its interfaces. A value that is swapped whole.</summary>
internal sealed class NameScope(IReadOnlyList<NetworkNames> networks, NetworkNames? ingress)
{
    public static readonly NameScope Empty = new([], null);

    /// <summary>
    /// The whole name on any network first, then, dot by dot from the right, what stands before the dot on the network that is
    /// named behind it. Null: not one of the swarm's names.
    /// </summary>
    /// <param name="name">Lower case, without a dot at the end.</param>
    public NameEntry? Find(ReadOnlySpan<char> name)
    {
        foreach (var network in networks)
        {
            if (network.Forward.TryGetValue(name, out var entry))
            {
                return entry;
            }
        }

        for (var dot = name.LastIndexOf('.'); dot > 0; dot = name[..dot].LastIndexOf('.'))
        {
            foreach (var network in networks)
            {
                if (name[(dot + 1)..].SequenceEqual(network.Name) && network.Forward.TryGetValue(name[..dot], out var entry))
                {
                    return entry;
                }
            }
        }

        return null;
    }

    /// <summary>The name of an address; null when it is none of the swarm's here.</summary>
    public string? Reverse(IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Reverse(address) is { } name)
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>_port._protocol.service: the tasks of the service with the port's number. Port is a name or a number. Null: no such service.</summary>
    public IReadOnlyList<ServiceTarget>? Services(string name)
    {
        var labels = name.Split('.', 3);
        if (labels.Length < 3 || labels[0].Length < 2 || labels[0][0] != '_' || labels[1].Length < 2 || labels[1][0] != '_')
        {
            return null;
        }

        foreach (var network in networks)
        {
            var wanted = labels[2].EndsWith("." + network.Name, StringComparison.Ordinal) ? labels[2][..^(network.Name.Length + 1)] : labels[2];
            var service = network.Plan.Services.Values.FirstOrDefault(s =>
                string.Equals(s.Name, wanted, StringComparison.OrdinalIgnoreCase) || s.Aliases.Contains(wanted, StringComparer.OrdinalIgnoreCase));
            if (service is not null)
            {
                return PortOf(service.ServiceId, labels[0][1..], labels[1][1..]) is { } port
                    ? [.. network.ActiveOf(service.ServiceId).Select(e => Target(network, e.Names[0], port))]
                    : [];
            }
        }

        return null;
    }

    private static ServiceTarget Target(NetworkNames network, string name, ushort port) => new(
        $"{name}.{network.Plan.Network.Name}", port, network.Forward.TryGetValue(name.ToLowerInvariant(), out var entry) ? entry : NameEntry.Empty);

    private ushort? PortOf(string serviceId, string port, string protocol)
    {
        var ports = ingress is not null && ingress.Plan.Services.TryGetValue(serviceId, out var service) ? service.Ports : [];
        var published = ports.FirstOrDefault(p => Matches(p, port, protocol));
        return published is not null ? (ushort)published.TargetPort : ushort.TryParse(port, out var number) ? number : null;
    }

    private static bool Matches(PortConfig config, string port, string protocol) =>
        string.Equals(config.Protocol ?? "tcp", protocol, StringComparison.OrdinalIgnoreCase)
        && string.Equals(config.Name, port, StringComparison.OrdinalIgnoreCase);
}
