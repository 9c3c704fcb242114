namespace Skep.Kernel.Netlink;

/// <summary>The kernel's refusal of the message with this index among those that were sent together.</summary>
public sealed record NetlinkRefusal(int Index, int Errno, string? Explanation);
