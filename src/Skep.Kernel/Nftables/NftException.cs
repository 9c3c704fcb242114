namespace Skep.Kernel.Nftables;

/// <summary>nft refused a script; nothing of it was applied. The message is nft's own words, with the line it points to.</summary>
public sealed class NftException(string message) : Exception(message);
