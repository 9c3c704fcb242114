using System.Net;

namespace Skep.Kernel.Links;

/// <summary>An address of a link (RTM_NEWADDR, rtnetlink(7)).</summary>
/// <param name="Index">The link.</param>
/// <param name="Address">Its own address.</param>
/// <param name="PrefixLength">How much of the address, or of the other end's, the link leads to.</param>
/// <param name="Permanent">Without an end to its life.</param>
/// <param name="Peer">The other end's address, when the link leads to that and not to the neighbours of its own. With others the same address may be there again.</param>
public sealed record LinkAddress(int Index, IPAddress Address, int PrefixLength, bool Permanent = true, IPAddress? Peer = null);
