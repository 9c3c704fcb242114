using System.Runtime.InteropServices;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Kernel.Netlink;

namespace Skep.Kernel.Nftables;

/// <summary>
/// nftables of one namespace through libnftables, in this process. Commands of all namespaces take turns, each with a context of its own:
/// the library is not made for threads, and a context holds a socket on which it waits by select(2), so that it needs a small
/// descriptor. The namespace stays the caller's and must outlive this object.
/// </summary>
public sealed class Nftables : INftables
{
    // The library keeps names of links in a list of its own, for all contexts, and frees it at the end of each command.
    private static readonly Lock s_library = new();

    private readonly NetworkNamespace _namespace;

    public Nftables(NetworkNamespace ns) => _namespace = ns;

    /// <inheritdoc/>
    public Task RunAsync(NftTransaction transaction, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        try
        {
            Run(transaction);
            return Task.CompletedTask;
        }
        catch (Exception failure)
        {
            return Task.FromException(failure);
        }
    }

    /// <inheritdoc/>
    public string? ListTable(NftFamily family, string table)
    {
        var (succeeded, output, error) = RunCommands($"list table {new NftTable(family, table)}\n");
        if (succeeded)
        {
            return output;
        }

        // ENOENT and EOPNOTSUPP in nft's words; a kernel without that family has no table of it either.
        return error.Contains("No such file or directory", StringComparison.Ordinal) || error.Contains("Operation not supported", StringComparison.Ordinal)
            ? null
            : throw new NftException(error);
    }

    private void Run(NftTransaction transaction)
    {
        if (transaction.Problem is { } problem)
        {
            throw new NftException(problem);
        }

        if (!transaction.IsEmpty && RunCommands(transaction.ToString()) is (false, _, var error))
        {
            throw new NftException(error);
        }
    }

    // nft looks names of links up by a socket that it opens for each command, so the command runs inside as well.
    private (bool Succeeded, string Output, string Error) RunCommands(string commands)
    {
        lock (s_library)
        {
            return _namespace.Run(() =>
            {
                using var context = LowDescriptors.Run((int)NetlinkProtocol.Netfilter, NewContext);
                var succeeded = LibNftables.RunCommand(context, commands) == 0;
                return (succeeded, Text(LibNftables.OutputBuffer(context)), Text(LibNftables.ErrorBuffer(context)));
            });
        }
    }

    private static NftContext NewContext()
    {
        var context = LibNftables.NewContext(flags: 0);
        return context.IsInvalid || LibNftables.BufferOutput(context) != 0 || LibNftables.BufferError(context) != 0
            ? throw new NftException("libnftables gave no context")
            : context;
    }

    private static string Text(nint buffer) => Marshal.PtrToStringUTF8(buffer)?.Trim('\0') ?? "";
}
