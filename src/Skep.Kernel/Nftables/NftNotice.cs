namespace Skep.Kernel.Nftables;

/// <summary>The namespace's nftables are of a new generation: somebody's transaction was applied.</summary>
/// <param name="Generation">The generation's number.</param>
/// <param name="ProcessId">Who did it: the kernel tells the number of the thread, as seen outside of any PID namespace.</param>
/// <param name="ProcessName">The name of that thread, up to 15 bytes.</param>
/// <param name="IsOwn">Whether the thread is of this process.</param>
/// <param name="Overrun">Notices were lost: the rules may be of any generation, by anybody. All else is empty.</param>
public sealed record NftNotice(uint Generation, int ProcessId, string ProcessName, bool IsOwn, bool Overrun = false);
