namespace Skep.Kernel.Nftables;

/// <summary>The nftables rules of one network namespace.</summary>
public interface INftables
{
    /// <summary>Applies all of the transaction or, with <see cref="NftException"/>, nothing of it.</summary>
    Task RunAsync(NftTransaction transaction, CancellationToken cancellationToken);

    /// <summary>The table as <c>nft list table</c> prints it; null if there is none.</summary>
    string? ListTable(NftFamily family, string table);
}
