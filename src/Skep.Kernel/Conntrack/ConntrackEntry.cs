namespace Skep.Kernel.Conntrack;

/// <summary>A flow that the kernel tracks.</summary>
/// <param name="Original">As the first packet went, before any translation.</param>
/// <param name="Reply">As the answers come; its source is where the packets really go.</param>
/// <param name="Mark">The flow's mark.</param>
/// <param name="Status">IPS_… bits of linux/netfilter/nf_conntrack_common.h.</param>
/// <param name="Timeout">Seconds that the entry lives without a packet.</param>
/// <param name="Id">What tells it from a later flow with the same addresses.</param>
public sealed record ConntrackEntry(FlowTuple Original, FlowTuple Reply, uint Mark, uint Status, uint Timeout, uint Id)
{
    /// <summary>A TCP connection that is open on both sides, as far as the kernel has seen.</summary>
    public bool IsStanding { get; init; }

    // The kernel's own bytes of the original direction, which name the entry when it is deleted.
    internal byte[] Key { get; init; } = [];

    internal byte[]? Zone { get; init; }

    /// <summary>Flows of different zones do not know of one another; nearly all are in zone 0.</summary>
    public ushort ZoneNumber => Zone is { Length: >= 2 } zone ? System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(zone) : (ushort)0;

    public bool Equals(ConntrackEntry? other) =>
        other is not null && (Original, Reply, Mark, Status, Timeout, Id)
            == (other.Original, other.Reply, other.Mark, other.Status, other.Timeout, other.Id);

    public override int GetHashCode() => HashCode.Combine(Original, Reply, Id);
}
