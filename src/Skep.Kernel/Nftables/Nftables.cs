using System.Runtime.InteropServices;
using Skep.Kernel.Namespaces;

namespace Skep.Kernel.Nftables;

/// <summary>
/// nftables of one namespace through libnftables, in this process. The context is made once and kept; it is not thread-safe, so
/// commands take turns. The namespace stays the caller's and must outlive this object.
/// </summary>
public sealed class Nftables : INftables, IDisposable
{
    private readonly Lock _gate = new();
    private readonly NetworkNamespace _namespace;
    private readonly NftContext _context;

    public Nftables(NetworkNamespace ns)
    {
        _namespace = ns;
        _context = ns.Run(() => LibNftables.NewContext(flags: 0));
        if (_context.IsInvalid || LibNftables.BufferOutput(_context) != 0 || LibNftables.BufferError(_context) != 0)
        {
            throw new NftException("libnftables gave no context");
        }
    }

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

        // "No such file or directory": the kernel's ENOENT, in nft's words.
        return error.Contains("No such file or directory", StringComparison.Ordinal) ? null : throw new NftException(error);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _context.Dispose();
        }
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
        lock (_gate)
        {
            return _namespace.Run(() =>
            {
                var succeeded = LibNftables.RunCommand(_context, commands) == 0;
                return (succeeded, Text(LibNftables.OutputBuffer(_context)), Text(LibNftables.ErrorBuffer(_context)));
            });
        }
    }

    private static string Text(nint buffer) => Marshal.PtrToStringUTF8(buffer)?.Trim('\0') ?? "";
}
