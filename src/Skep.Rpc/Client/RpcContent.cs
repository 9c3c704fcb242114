using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Skep.Rpc.Framing;

namespace Skep.Rpc.Client;

/// <summary>A request of one message.</summary>
internal sealed class RpcMessageContent<T> : HttpContent
    where T : class, IMessage<T>
{
    private readonly T _message;

    public RpcMessageContent(T message)
    {
        _message = message;
        Headers.ContentType = RpcContentType.Value;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        RpcFrames.WriteAsync(stream, _message, cancellationToken).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>A request whose messages are written while the answer is read.</summary>
internal sealed class RpcOpenContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RpcOpenContent() => Headers.ContentType = RpcContentType.Value;

    /// <summary>The stream to write to, once there is a connection.</summary>
    public Task<Stream> Opened => _opened.Task;

    /// <summary>Half-closes: the other side reads the end of the requests.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <summary>Ends the wait for a stream that will not come.</summary>
    public void Fail(Exception cause) => _opened.TrySetException(cause);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // The handler holds the request's headers back until the body's first bytes; the flush sends them now.
        await stream.FlushAsync(cancellationToken);
        _opened.TrySetResult(stream);
        await _completed.Task.WaitAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

internal static class RpcContentType
{
    public static readonly MediaTypeHeaderValue Value = new(RpcFrames.ContentType);
}
