using System.Net;

namespace Skep.Kernel.Xfrm;

/// <summary>One direction between two hosts: ESP in transport mode with AES-128-GCM (rfc4106, 16-byte check value) and 64-bit sequence numbers.</summary>
/// <param name="Key">Null when the kernel does not show it, or it is no key of ours.</param>
public sealed record XfrmState(IPAddress Source, IPAddress Destination, uint Spi, uint RequestId, XfrmKey? Key)
{
    /// <summary>How many packets may come late.</summary>
    public uint ReplayWindow { get; init; } = 1024;

    /// <summary>What it has carried; only of a state that was read.</summary>
    public XfrmCounters Counters { get; init; } = new();
}

/// <summary>Bytes are those of the packets inside, with their headers. Times are the host's clock; null = never.</summary>
public sealed record XfrmCounters
{
    public ulong Bytes { get; init; }
    public ulong Packets { get; init; }
    public DateTimeOffset AddedAt { get; init; }
    public DateTimeOffset? UsedAt { get; init; }

    /// <summary>Packets that came twice or too late.</summary>
    public uint Replays { get; init; }

    /// <summary>Packets that did not open.</summary>
    public uint Forgeries { get; init; }
}
