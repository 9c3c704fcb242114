using System.Runtime.CompilerServices;
using Google.Protobuf;
using Skep.Rpc.Client;
using Skep.Rpc.Framing;

namespace Skep.Rpc;

/// <summary>
/// A call with a stream in both directions. Writes from several threads are put in a row; there is one reader.
/// Disposing resets a call that has not ended.
/// </summary>
public sealed class RpcDuplexCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly CancellationTokenSource _ended;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly RpcOpenContent _content = new();
    private readonly RpcReply<TResponse> _reply;

    internal RpcDuplexCall(Func<HttpContent, CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        _ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _reply = new RpcReply<TResponse>(SendAsync(send));
    }

    /// <summary>Writes one message; returns when the connection has taken it.</summary>
    /// <exception cref="RpcException">The call has ended; the reader sees with which status.</exception>
    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var stream = await _content.Opened.WaitAsync(cancellationToken);
            await RpcFrames.WriteAsync(stream, message, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw RpcFailure.From(failure, cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Says that no further request comes; the answers may go on.</summary>
    public async Task CompleteAsync()
    {
        await _writing.WaitAsync();
        _content.Complete();
        _writing.Release();
    }

    /// <summary>The answers until the call has ended well.</summary>
    /// <exception cref="RpcException">The call has ended with another status.</exception>
    public async IAsyncEnumerable<TResponse> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        while (await _reply.NextAsync(linked.Token) is { } message)
        {
            yield return message;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // In this order the other side sees a reset and not a clean end of the requests.
        await _ended.CancelAsync();
        await _reply.DisposeAsync();
        _content.Complete();
        _ended.Dispose();
    }

    internal async Task<TResponse> SingleAsync(CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        return await _reply.SingleAsync(linked.Token);
    }

    private async Task<HttpResponseMessage> SendAsync(Func<HttpContent, CancellationToken, Task<HttpResponseMessage>> send)
    {
        try
        {
            return await send(_content, _ended.Token);
        }
        catch (Exception failure)
        {
            var seen = RpcFailure.From(failure, _ended.Token);
            _content.Fail(seen);
            throw seen;
        }
    }
}
