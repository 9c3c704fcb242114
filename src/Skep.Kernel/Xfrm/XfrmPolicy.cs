using System.Net;

namespace Skep.Kernel.Xfrm;

/// <summary>enum xfrm_policy_dir's first two; forwarded packets are looked up as <see cref="Out"/> too.</summary>
public enum XfrmDirection : byte
{
    In = 0,
    Out = 1,
}

/// <summary>
/// What becomes of UDP packets to a port: those that match need the transformation of <see cref="Template"/>, or are dropped
/// where there is none. Of several that match the one with the lowest priority number counts.
/// </summary>
public sealed record XfrmPolicy(XfrmDirection Direction, IPNetwork Source, IPNetwork Destination, ushort Port, uint Priority)
{
    /// <summary>Null = the packet is dropped.</summary>
    public XfrmTemplate? Template { get; init; }
}

/// <summary>ESP in transport mode. Addresses that are all zero, and an SPI of 0, match every state with the request id.</summary>
public sealed record XfrmTemplate(IPAddress Source, IPAddress Destination, uint Spi, uint RequestId);
