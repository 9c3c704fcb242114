using System.Net;

namespace Skep.Kernel.Routes;

/// <summary>What the kernel knows of an address on a link: ARP for IPv4, neighbour discovery for IPv6. <c>Mac</c> is empty while unknown.</summary>
/// <param name="LinkIndex">The link.</param>
/// <param name="Address">The neighbour.</param>
/// <param name="Mac">Its Ethernet address.</param>
/// <param name="Permanent">Whether it was set by hand and never ages (NUD_PERMANENT).</param>
/// <param name="State">All NUD_… bits of linux/neighbour.h.</param>
public sealed record Neighbour(int LinkIndex, IPAddress Address, string Mac, bool Permanent, ushort State);
