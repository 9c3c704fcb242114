using System.Net;
using System.Net.Sockets;

namespace Skep.Network.Desired;

/// <summary>A link that this namespace makes: a bridge, a tunnel or the outer end of a cable. Mtu in bytes.</summary>
public sealed record WantedLink(string Name, int Mtu)
{
    /// <summary>The bridge that it is a port of.</summary>
    public string? Master { get; init; }

    /// <summary>Frames may leave through the port that they came in by: a task that is its own backend.</summary>
    public bool Hairpin { get; init; }

    /// <summary>A port that talks with the bridge only, not with other isolated ports.</summary>
    public bool Isolated { get; init; }

    /// <summary>Only frames whose source is written to be behind this port come in by it: who is on the other end cannot pass for another.</summary>
    public bool Locked { get; init; }

    /// <summary>The bridge learns who is behind this port. Off wherever the plan knows it.</summary>
    public bool Learning { get; init; }

    /// <summary>An end of a cable that another namespace makes (<see cref="FarEnd"/> there), which is a port here.</summary>
    public bool MadeElsewhere { get; init; }

    /// <summary>Its own address: a bridge's is kept stable while ports come and go. Null = any.</summary>
    public string? Mac { get; init; }

    public WantedTunnel? Tunnel { get; init; }
    public WantedFarEnd? FarEnd { get; init; }
}

/// <summary>VXLAN (RFC 7348); Local is this node's own address on the underlay.</summary>
public sealed record WantedTunnel(uint Vni, ushort Port, IPAddress Local)
{
    /// <summary>It may be made only where the kernel refuses clear text to and from its port.</summary>
    public bool Encrypted { get; init; }
}

/// <summary>The inner end of a cable.</summary>
public sealed record WantedFarEnd(string Space, string Name, string Mac);

/// <summary>A cable's inner end, as the namespace that has it sees it.</summary>
public sealed record WantedEnd(string Name, string Mac, int Mtu);

public sealed record WantedAddress(string Link, IPAddress Address, int PrefixLength);

/// <summary>A null destination is the default route; table 254 is the main one. A route of the local table makes its destination the namespace's own.</summary>
public sealed record WantedRoute(IPNetwork? Destination, IPAddress? Gateway, string Link, uint Table = WantedRoute.Main)
{
    public const uint Main = 254;
    public const uint Local = 255;

    /// <summary>What goes there ends in this namespace, which answers for it as for an address of its own.</summary>
    public bool IsLocal => Table == Local;
}

public sealed record WantedRule(AddressFamily Family, IPNetwork? From, uint? Mark, uint Table, uint Priority);

/// <summary>A permanent neighbour: nobody has to ask for it, nobody can answer for it.</summary>
public sealed record WantedNeighbour(string Link, IPAddress Address, string Mac);

/// <summary>
/// Where frames for a MAC go: with a <paramref name="Vtep"/> through the tunnel <paramref name="Link"/> to that node; without one
/// out of the bridge port <paramref name="Link"/>.
/// </summary>
public sealed record WantedForwarding(string Link, string Mac, IPAddress? Vtep);

/// <summary>Once: set when the namespace gets its links, then its owner's. Optional: a kernel without it is no error.</summary>
public sealed record WantedSysctl(string Name, string Value)
{
    public bool Once { get; init; }
    public bool Optional { get; init; }
}
