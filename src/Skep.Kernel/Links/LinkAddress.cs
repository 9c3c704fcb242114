using System.Net;

namespace Skep.Kernel.Links;

/// <summary>An address of a link (RTM_NEWADDR, rtnetlink(7)). <paramref name="Permanent"/>: without an end to its life.</summary>
public sealed record LinkAddress(int Index, IPAddress Address, int PrefixLength, bool Permanent = true);
