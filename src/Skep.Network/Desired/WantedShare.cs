using System.Collections.Immutable;
using System.Net;

namespace Skep.Network.Desired;

/// <summary>
/// What one object (a peer, a service, an endpoint, a sandbox) adds to a namespace. Computed from that object alone and what it
/// refers to, so that a change of one object costs that object.
/// </summary>
public sealed record WantedShare
{
    public static readonly WantedShare Empty = new();

    public ImmutableArray<WantedLink> Links { get; init; } = [];
    public ImmutableArray<WantedAddress> Addresses { get; init; } = [];
    public ImmutableArray<WantedRoute> Routes { get; init; } = [];
    public ImmutableArray<WantedRule> Rules { get; init; } = [];
    public ImmutableArray<WantedNeighbour> Neighbours { get; init; } = [];
    public ImmutableArray<WantedForwarding> Forwarding { get; init; } = [];
    public ImmutableArray<WantedElement> Elements { get; init; } = [];
    public ImmutableArray<WantedBalance> Balances { get; init; } = [];
    public ImmutableArray<WantedEspPeer> EspPeers { get; init; } = [];

    /// <summary>Tables of this object's own (<see cref="PolicyTables"/>); few objects have any.</summary>
    public ImmutableArray<WantedTable> Tables { get; init; } = [];

    public bool IsEmpty => this is
    {
        Links: [], Addresses: [], Routes: [], Rules: [], Neighbours: [], Forwarding: [], Elements: [], Balances: [], Tables: [], EspPeers: [],
    };

    // Arrays are compared by what is in them.
    public bool Equals(WantedShare? other) =>
        ReferenceEquals(this, other)
        || (other is not null
            && Links.SequenceEqual(other.Links) && Addresses.SequenceEqual(other.Addresses)
            && Routes.SequenceEqual(other.Routes) && Rules.SequenceEqual(other.Rules)
            && Neighbours.SequenceEqual(other.Neighbours) && Forwarding.SequenceEqual(other.Forwarding)
            && Elements.SequenceEqual(other.Elements) && Balances.SequenceEqual(other.Balances)
            && Tables.SequenceEqual(other.Tables) && EspPeers.SequenceEqual(other.EspPeers));

    public override int GetHashCode() => HashCode.Combine(Links.Length, Addresses.Length, Neighbours.Length, Elements.Length, Balances.Length);
}

/// <summary>An element of a set or map that the frame declares in the table of ours (<see cref="WantedTable.Ours"/>) of that family. Value is null in a set.</summary>
public sealed record WantedElement(string Family, string Set, string Key, string? Value)
{
    public string Text => Value is null ? Key : $"{Key} : {Value}";
}

/// <summary>
/// A family that is balanced in a namespace: by the flow's address or, of what goes to the namespace's own addresses, by its protocol and port.
/// </summary>
/// <param name="Family">ip or ip6.</param>
/// <param name="ByPort">False: addresses are balanced.</param>
public sealed record WantedBalancer(string Family, bool ByPort);

/// <summary>
/// New flows to <paramref name="Key"/> (a VIP, or a protocol and port: <c>tcp . 8000</c>) go to <paramref name="Backends"/> in
/// turn. The sequence may name an address several times: that is its weight. Without backends a flow is refused at once.
/// </summary>
/// <param name="Family">ip or ip6.</param>
/// <param name="Key">As nft writes it.</param>
/// <param name="Chain">The name of the chain that balances it.</param>
/// <param name="Backends">From <see cref="BackendSequence"/>.</param>
/// <param name="Port">The backends' port; null keeps the flow's own.</param>
public sealed record WantedBalance(string Family, string Key, string Chain, ImmutableArray<IPAddress> Backends, uint? Port)
{
    /// <summary>The map that leads to the chain, in <see cref="WantedTable.Ours"/>; null = that of the balancer's own tables.</summary>
    public string? Map { get; init; }

    public bool Equals(WantedBalance? other) =>
        other is not null && (Family, Key, Chain, Port, Map) == (other.Family, other.Key, other.Chain, other.Port, other.Map) && Backends.SequenceEqual(other.Backends);

    public override int GetHashCode() => HashCode.Combine(Family, Key, Backends.Length);
}
