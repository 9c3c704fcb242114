using Skep.Kernel.Netlink;

namespace Skep.Kernel.Routes;

/// <summary>A change of a batch that the kernel refused; the others are done.</summary>
/// <param name="Change">The change in words, as <c>set neighbour 10.0.1.7 on link 3</c>.</param>
/// <param name="Error">Why it was refused.</param>
public sealed record BatchFailure(string Change, NetlinkException Error);
