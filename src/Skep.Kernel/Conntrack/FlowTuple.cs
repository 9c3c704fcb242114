using System.Net;

namespace Skep.Kernel.Conntrack;

/// <summary>One direction of a flow. Ports are 0 for protocols without them.</summary>
/// <param name="Source">Where its packets come from.</param>
/// <param name="Destination">Where they go to.</param>
/// <param name="Protocol">The IP protocol's number: 6 = TCP, 17 = UDP.</param>
/// <param name="SourcePort">Port at the source.</param>
/// <param name="DestinationPort">Port at the destination.</param>
public sealed record FlowTuple(IPAddress Source, IPAddress Destination, byte Protocol, ushort SourcePort, ushort DestinationPort);
