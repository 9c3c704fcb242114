using Skep.Kernel.Bpf;

namespace Skep.Network.Sockets;

/// <summary>
/// The maps and what stands where in them. Keys and values are read by the programs (<see cref="SocketCode"/>) and written by
/// <see cref="SocketMaps"/>; all numbers are the machine's, all addresses and ports as on the wire.
/// </summary>
internal static class SocketLayout
{
    public const string NamePrefix = "skep_";

    /// <summary>One element: the cookie of the host's network namespace, which tells whose programs these are.</summary>
    public const string Owner = "skep_owner";

    /// <summary>Cookie of a task's network namespace → count, then up to <see cref="MostNetworks"/> VNIs.</summary>
    public const string Spaces = "skep_spaces";

    /// <summary>VNI, port and protocol (0 for all that have no key of their own), VIP → slot.</summary>
    public const string Services = "skep_services";

    /// <summary>A service's VIP, eight words each: see the Slot… numbers.</summary>
    public const string Slots = "skep_slots";

    /// <summary>Addresses; a slot has a range of them.</summary>
    public const string Backends = "skep_backends";

    /// <summary>Slot, 0, address → whether it gets new flows (<see cref="Active"/>) or keeps what it has (<see cref="Kept"/>).</summary>
    public const string Members = "skep_members";

    /// <summary>Socket's cookie, backend, port → VIP: for the name of a stream's peer.</summary>
    public const string StreamPeers = "skep_tcp_peers";

    /// <summary>The same for datagrams: whom an answer seems to come from.</summary>
    public const string DatagramPeers = "skep_udp_peers";

    /// <summary>Socket's cookie, VIP, port → backend: the datagrams of a socket to a VIP stay together.</summary>
    public const string DatagramFlows = "skep_udp_flows";

    /// <summary>Cookie of a client's namespace, VNI, 0, VIP → backend, time of the last flow (ns). Slots are another set's own.</summary>
    public const string Affinities = "skep_affinity";

    public const int CookieSize = 8;
    public const int MostNetworks = 31;
    public const int SpaceSize = 4 + (4 * MostNetworks);
    public const int VipKeySize = 8 + MapAddress.Size;
    public const int MemberKeySize = 8 + MapAddress.Size;
    public const int FlowKeySize = 8 + MapAddress.Size + 8;
    public const int AffinityKeySize = 16 + MapAddress.Size;
    public const int AffinitySize = MapAddress.Size + 8;

    public const int Active = 1;
    public const int Kept = 2;

    // The words of a slot.
    public const int SlotWords = 8;

    /// <summary>First index of the backends in the lower half, their count in the upper: one write changes both.</summary>
    public const int SlotList = 0;

    /// <summary>Counts the flows: whose turn it is. Written by the programs.</summary>
    public const int SlotTurn = 1;

    /// <summary>VNI in the lower half; in the upper <see cref="Model.Plans.BalanceMode"/>, and then whether ports have keys of their own.</summary>
    public const int SlotKind = 2;

    /// <summary>Two words. A program that finds another VIP here came by an element that was just given to another service.</summary>
    public const int SlotVip = 3;

    /// <summary>Nanoseconds.</summary>
    public const int SlotAffinity = 5;

    /// <summary>The state of flows, which goes on from one set of maps to the next.</summary>
    public static IReadOnlyList<BpfMapShape> Flows { get; } =
    [
        new(StreamPeers, BpfMapKind.LruHash, FlowKeySize, MapAddress.Size, 32768),
        new(DatagramPeers, BpfMapKind.LruHash, FlowKeySize, MapAddress.Size, 16384),
        new(DatagramFlows, BpfMapKind.LruHash, FlowKeySize, MapAddress.Size, 16384),
        new(Affinities, BpfMapKind.LruHash, AffinityKeySize, AffinitySize, 8192),
    ];

    /// <summary>The maps that hold a wish of at most this size.</summary>
    public static IReadOnlyList<BpfMapShape> Tables(SocketCapacity capacity) =>
    [
        new(Owner, BpfMapKind.Array, 4, CookieSize, 1),
        new(Spaces, BpfMapKind.Hash, CookieSize, SpaceSize, capacity.Spaces) { OnDemand = true },
        new(Services, BpfMapKind.Hash, VipKeySize, 4, capacity.Services) { OnDemand = true },
        new(Slots, BpfMapKind.Array, 4, SlotWords * 8, capacity.Services) { InMemory = true },
        new(Backends, BpfMapKind.Array, 4, MapAddress.Size, capacity.Backends) { InMemory = true },
        new(Members, BpfMapKind.Hash, MemberKeySize, 4, capacity.Backends) { OnDemand = true },
    ];
}

/// <summary>How much a set of maps holds.</summary>
internal readonly record struct SocketCapacity(int Spaces, int Services, int Backends)
{
    /// <summary>Room for twice what is wanted; a set that is full is replaced by a larger one.</summary>
    public static SocketCapacity For(SocketWishes wanted) => new(
        Twice(wanted.Spaces.Count, 256),
        Twice(wanted.Addresses.Count, 512),
        Twice(wanted.Addresses.Values.Sum(a => RangeAllocator.RoomFor(a.Backends.Length) + a.Kept.Length), 2048));

    private static int Twice(int count, int least) => RangeAllocator.RoomFor(Math.Max(2 * count, least));
}
