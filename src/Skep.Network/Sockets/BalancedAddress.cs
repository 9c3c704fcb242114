using System.Collections.Immutable;
using Skep.Model.Plans;

namespace Skep.Network.Sockets;

/// <summary>
/// Where a VIP stands: the number of its network on the wire (VNI), and the address. Protocol (IP's number) and port are those of one port
/// that is balanced otherwise than the rest; nought for the rest.
/// </summary>
internal readonly record struct VipKey(uint Vni, MapAddress Vip, byte Protocol = 0, ushort Port = 0)
{
    /// <summary>The key of all that has none of its own.</summary>
    public VipKey Whole => new(Vni, Vip);

    public override string ToString() => $"{Vip}{(Port == 0 ? "" : $" port {Port}/{(Protocol == 6 ? "tcp" : "udp")}")} of network {Vni}";
}

/// <summary>What sockets that ask for a VIP get. A value.</summary>
/// <param name="Backends">In turn; an address may stand several times. Empty leaves the VIP to the packet rules, which refuse.</param>
/// <param name="Kept">Addresses that get nothing new and keep the datagram flows that they have.</param>
internal sealed record BalancedAddress(VipKey Key, ImmutableArray<MapAddress> Backends, ImmutableArray<MapAddress> Kept)
{
    public BalanceMode Mode { get; init; }

    /// <summary>Some of its ports have keys of their own.</summary>
    public bool HasPorts { get; init; }

    /// <summary>How long a client stays with its backend without a new flow; only with <see cref="BalanceMode.Source"/>.</summary>
    public TimeSpan Affinity { get; init; }

    public bool Equals(BalancedAddress? other) =>
        ReferenceEquals(this, other)
        || (other is not null && (Key, Mode, Affinity, HasPorts) == (other.Key, other.Mode, other.Affinity, other.HasPorts)
            && Backends.AsSpan().SequenceEqual(other.Backends.AsSpan()) && Kept.AsSpan().SequenceEqual(other.Kept.AsSpan()));

    public override int GetHashCode() => HashCode.Combine(Key, Backends.Length, Kept.Length);
}
