namespace Skep.Kernel.Netlink;

/// <summary>Makes an object of an answer, or null if the answer is of no interest.</summary>
public delegate T? NetlinkParser<out T>(NetlinkMessage message) where T : class;
