using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Exec;

/// <summary>A started command and the client that is connected to it.</summary>
internal sealed class ExecSession(IExec exec, ExecStreams streams)
{
    private const int BufferBytes = 32 * 1024;

    /// <summary>
    /// Copies in both directions and returns when the command has ended, all its output was sent and its exit code is known: the CLI
    /// asks for the code as soon as the connection closes.
    /// </summary>
    public async Task RunAsync(Stream client, bool framed, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var frames = new FrameWriter(client, framed);
        var input = InputAsync(client, over.Token);
        try
        {
            await Task.WhenAll(
                frames.CopyAsync(FrameWriter.Stdout, streams.Stdout, cancellationToken),
                frames.CopyAsync(FrameWriter.Stderr, streams.Stderr, cancellationToken));
            await exec.WaitAsync(cancellationToken);
        }
        finally
        {
            await over.CancelAsync();
            await input;
        }
    }

    /// <summary>The size is a courtesy: a command that has ended by now has no terminal.</summary>
    public async Task ResizeAsync(uint width, uint height)
    {
        try
        {
            await exec.ResizeAsync(width, height, CancellationToken.None);
        }
        catch (ClusterException)
        {
        }
    }

    /// <summary>Reads what is still to come into nothing, in the background.</summary>
    public void Discard()
    {
        _ = DrainAsync(streams.Stdout);
        _ = DrainAsync(streams.Stderr);
        _ = CloseInputAsync();
    }

    private static async Task DrainAsync(Stream output)
    {
        try
        {
            await output.CopyToAsync(Stream.Null);
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }

    /// <summary>The client's bytes to the command; the client closing its side is the command's end of file.</summary>
    private async Task InputAsync(Stream client, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        var open = exec.Recipe.AttachStdin;
        try
        {
            int length;
            while ((length = await client.ReadAsync(buffer, cancellationToken)) > 0)
            {
                // A command that reads no more does not end the session: its output still matters.
                open = open && await TryWriteAsync(buffer.AsMemory(0, length), cancellationToken);
            }

            await CloseInputAsync();
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException)
        {
        }
    }

    private async Task<bool> TryWriteAsync(ReadOnlyMemory<byte> piece, CancellationToken cancellationToken)
    {
        try
        {
            await streams.Stdin.WriteAsync(piece, cancellationToken);
            await streams.Stdin.FlushAsync(cancellationToken);
            return true;
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or InvalidOperationException)
        {
            return false;
        }
    }

    private async Task CloseInputAsync()
    {
        try
        {
            await streams.Stdin.DisposeAsync();
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }
}
