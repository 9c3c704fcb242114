using System.Net;

namespace Skep.Kernel.Conntrack;

/// <summary>A flow that the kernel is to translate.</summary>
/// <param name="Packets">As its packets come, before the translation.</param>
/// <param name="Source">What their source becomes.</param>
/// <param name="Destination">What their destination becomes.</param>
/// <param name="Zone">Flows of different zones do not know of one another.</param>
/// <param name="Timeout">Seconds that the entry lives without a packet.</param>
public sealed record TranslatedFlow(FlowTuple Packets, IPEndPoint Source, IPEndPoint Destination, ushort Zone, uint Timeout);
