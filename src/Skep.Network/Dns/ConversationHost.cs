using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Skep.Network.Dns;

/// <summary>The TCP side of one sandbox's name server: queries come and answers go, each behind its length (RFC 7766).</summary>
/// <param name="listener">Listens inside the sandbox; closed here.</param>
/// <param name="responder">Answers what the swarm knows.</param>
/// <param name="forward">Asks outside.</param>
/// <param name="clock">Times how long a connection may be silent.</param>
/// <param name="log">Where trouble is told.</param>
internal sealed class ConversationHost(
    Socket listener, NameResponder responder, Func<byte[], CancellationToken, Task<byte[]>> forward, TimeProvider clock, ILogger log) : IAsyncDisposable
{
    private const int MostAtOnce = 256;
    private static readonly TimeSpan s_longestSilence = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stopping = new();
    private Task _accepting = Task.CompletedTask;
    private int _open;

    public void Start() => _accepting = AcceptAsync(_stopping.Token);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        listener.Dispose();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var connection = await listener.AcceptAsync(stopping);
                if (Interlocked.Increment(ref _open) > MostAtOnce)
                {
                    // One container must not use up the descriptors of the daemon.
                    connection.Dispose();
                    Interlocked.Decrement(ref _open);
                    continue;
                }

                _ = ConverseAsync(connection, stopping);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // No descriptor is free, or an asker left early: the next one may have more luck.
                log.ListenerBroke(e.Message);
                await Task.Delay(s_pause, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ConverseAsync(Socket connection, CancellationToken stopping)
    {
        try
        {
            using var stream = new NetworkStream(connection, ownsSocket: true);
            while (await AnswerOneAsync(stream, stopping))
            {
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The asker has gone or was silent for too long, or the sandbox ends.
        }
        catch (Exception e)
        {
            log.QueryBroke(e);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<bool> AnswerOneAsync(NetworkStream stream, CancellationToken stopping)
    {
        using var silence = new CancellationTokenSource(s_longestSilence, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, stopping);
        var length = new byte[2];
        if (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, both.Token) < 2)
        {
            return false;
        }

        var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(query, both.Token);
        var buffer = ArrayPool<byte>.Shared.Rent(ushort.MaxValue + 2);
        try
        {
            var count = responder.Answer(query, buffer.AsSpan(2, ushort.MaxValue), overUdp: false);
            if (count < 0)
            {
                return false;
            }

            if (count == 0)
            {
                var answer = await forward(query, stopping);
                answer.CopyTo(buffer, 2);
                count = answer.Length;
            }

            // Length and answer in one segment: apart, the second would wait for the acknowledgement of the first.
            BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)count);
            await stream.WriteAsync(buffer.AsMemory(0, count + 2), both.Token);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
