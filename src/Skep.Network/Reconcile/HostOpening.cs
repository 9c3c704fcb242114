using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Conntrack;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Whom an element of the host's sets and maps of published ports lets in, and where it leads; read from the element itself.</summary>
/// <param name="Family">IPv4 or IPv6.</param>
/// <param name="Protocol">Its number: 6, 17, 132.</param>
/// <param name="First">The first port.</param>
/// <param name="Last">The last port.</param>
internal sealed record HostOpening(AddressFamily Family, byte Protocol, ushort First, ushort Last)
{
    /// <summary>The clients; null = all.</summary>
    public IPNetwork? Source { get; private init; }

    /// <summary>The host's own addresses; null = all.</summary>
    public IPNetwork? Address { get; private init; }

    /// <summary>The container; null = the routing mesh.</summary>
    public IPAddress? Target { get; private init; }

    /// <summary>The container's port; null = the published one.</summary>
    public ushort? TargetPort { get; private init; }

    public bool IsMesh => Target is null;

    /// <summary>Null for an element that opens no port.</summary>
    public static HostOpening? Of(WantedElement element)
    {
        if (element.Set is not ("ingress-ports" or "ingress-ranges" or "ingress-guarded" or "relayed-ports" or "relayed-guarded" or "host-ports" or "host-ranges" or "host-guarded" or "host-guarded-ranges"))
        {
            return null;
        }

        var key = element.Key.Split(" . ");
        var ends = key[^1].Split('-');
        var protocol = key[^2] switch { "tcp" => 6, "udp" => 17, _ => 132 };
        var opening = new HostOpening(element.Family == "ip" ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, (byte)protocol, Port(ends[0]), Port(ends[^1]));
        opening = key.Length == 4 ? opening with { Source = Prefix(key[0]), Address = Prefix(key[1]) } : opening;
        return element.Value?.Split(" . ") switch
        {
            null => opening,
            [var target] => opening with { Target = IPAddress.Parse(target) },
            var target => opening with { Target = IPAddress.Parse(target[0]), TargetPort = Port(target[1]) },
        };
    }

    /// <summary>The flow was sent to one of these ports, by whomever.</summary>
    public bool Concerns(ConntrackEntry flow) =>
        flow.Original.Protocol == Protocol && flow.Original.DestinationPort >= First && flow.Original.DestinationPort <= Last
        && flow.Original.Destination.AddressFamily == Family;

    /// <summary>A new flow like it would be let in.</summary>
    public bool LetsIn(ConntrackEntry flow) =>
        Concerns(flow) && Source?.Contains(flow.Original.Source) != false && Address?.Contains(flow.Original.Destination) != false;

    /// <summary>The flow goes to the container that the port belongs to.</summary>
    public bool LeadsTo(ConntrackEntry flow) =>
        Concerns(flow) && flow.Reply.Source.Equals(Target) && flow.Reply.SourcePort == (TargetPort ?? flow.Original.DestinationPort);

    private static ushort Port(string text) => ushort.Parse(text, CultureInfo.InvariantCulture);

    private static IPNetwork Prefix(string text) => text.Contains('/')
        ? IPNetwork.Parse(text)
        : IPAddress.Parse(text) is var one && one.AddressFamily == AddressFamily.InterNetwork ? new IPNetwork(one, 32) : new IPNetwork(one, 128);
}
