using System.Buffers;
using System.Net.Sockets;

namespace Skep.Network.Relays;

/// <summary>
/// Copies between two connected streams until both directions have ended. An end of one direction goes on as an end (FIN) of that
/// direction alone; whatever breaks one stream resets the other. A stream that is not read from is not written for: who is slow slows the other.
/// </summary>
internal sealed class RelayedFlow(Socket client, Socket backend)
{
    // As much as veth and the tunnels take in at once, several times over; nobody has one while there is nothing to copy.
    private const int BufferSize = 256 * 1024;
    private int _broken;

    public async Task RunAsync()
    {
        await Task.WhenAll(CopyAsync(client, backend), CopyAsync(backend, client));
        client.Dispose();
        backend.Dispose();
    }

    /// <summary>Closes a socket so that its peer gets a reset.</summary>
    public static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
        }

        socket.Dispose();
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        try
        {
            while (true)
            {
                // Waits without a buffer: an idle flow costs its sockets alone.
                await from.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
                if (!await CopyWhatIsThereAsync(from, to))
                {
                    break;
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            if (Interlocked.Exchange(ref _broken, 1) == 0)
            {
                Reset(client);
                Reset(backend);
            }
        }
    }

    /// <summary>False: the stream has ended.</summary>
    private static async ValueTask<bool> CopyWhatIsThereAsync(Socket from, Socket to)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (true)
            {
                var length = await from.ReceiveAsync(buffer, SocketFlags.None);
                if (length == 0)
                {
                    return false;
                }

                await to.SendAsync(buffer.AsMemory(0, length), SocketFlags.None);

                // Less than a tenth of the room: most likely that was all for now.
                if (length < BufferSize / 10)
                {
                    return true;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
