using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Skep.Rpc.Client;

namespace Skep.Rpc;

/// <summary>
/// Calls to one server over one HTTP/2 connection, which is made with the first call and again when it was lost.
/// A call fails with <see cref="RpcException"/>, or with <see cref="OperationCanceledException"/> when its caller cancelled it.
/// </summary>
public sealed class RpcChannel : IAsyncDisposable
{
    // As many bytes as one stream may have under way; a window that grows by itself is not used, see the static constructor.
    private const int StreamWindow = 4 * 1024 * 1024;

    private readonly HttpMessageInvoker _invoker;
    private readonly Uri _root;
    private readonly ImmutableArray<KeyValuePair<string, string>> _headers;

    static RpcChannel()
    {
        // The handler measures round trips with bursts of PING frames in order to grow its windows. gRPC servers in Go
        // (etcd, containerd) count these as abuse and close the connection with "too_many_pings".
        AppContext.SetSwitch("System.Net.SocketsHttpHandler.Http2FlowControl.DisableDynamicWindowSizing", true);
    }

    private RpcChannel(HttpMessageInvoker invoker, Uri root, ImmutableArray<KeyValuePair<string, string>> headers)
    {
        _invoker = invoker;
        _root = root;
        _headers = headers;
    }

    /// <summary>Clear text to a unix socket. A path is at most 107 bytes long (<c>unix(7)</c>).</summary>
    public static RpcChannel OverUnixSocket(string path)
    {
        var endpoint = new UnixDomainSocketEndPoint(path);
        var handler = NewHandler();
        handler.ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(endpoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        return new RpcChannel(new HttpMessageInvoker(handler), new Uri("http://localhost"), []);
    }

    /// <summary>TLS with <paramref name="tls"/>, clear text without. A peer that falls silent is noticed within ten seconds.</summary>
    public static RpcChannel OverTcp(string host, int port, SslClientAuthenticationOptions? tls)
    {
        var handler = NewHandler();
        handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
        handler.KeepAlivePingDelay = TimeSpan.FromSeconds(5);
        handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(5);
        if (tls is not null)
        {
            handler.SslOptions = tls;
        }

        var root = new UriBuilder(tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, host, port).Uri;
        return new RpcChannel(new HttpMessageInvoker(handler), root, []);
    }

    /// <summary>The same connection; calls through the result carry the header too.</summary>
    public RpcChannel WithHeader(string name, string value) => new(_invoker, _root, _headers.Add(new(name, value)));

    public async Task<TResponse> UnaryAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method,
        TRequest request,
        CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var sending = SendAsync(method.Path, new RpcMessageContent<TRequest>(request), cancellationToken);
        await using var reply = new RpcReply<TResponse>(sending);
        return await reply.SingleAsync(cancellationToken);
    }

    public async IAsyncEnumerable<TResponse> ServerStreamAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method,
        TRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var sending = SendAsync(method.Path, new RpcMessageContent<TRequest>(request), cancellationToken);
        await using var reply = new RpcReply<TResponse>(sending);
        while (await reply.NextAsync(cancellationToken) is { } message)
        {
            yield return message;
        }
    }

    /// <summary>
    /// Sends all of <paramref name="requests"/>, or as many as the server wants before it answers. An exception out of
    /// <paramref name="requests"/> resets the call and is thrown as it is.
    /// </summary>
    public async Task<TResponse> ClientStreamAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method,
        IAsyncEnumerable<TRequest> requests,
        CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var call = Duplex(method, ended.Token);
        var pump = PumpAsync(call, requests, ended);
        TResponse? response = null;
        Exception? refusal = null;
        try
        {
            response = await call.SingleAsync(ended.Token);
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException)
        {
            refusal = failure;
        }

        await ended.CancelAsync();
        await pump;
        cancellationToken.ThrowIfCancellationRequested();
        return response ?? throw refusal!;
    }

    /// <summary>Opens a call at once; a failure to connect shows at the first write or read.</summary>
    public RpcDuplexCall<TRequest, TResponse> Duplex<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method,
        CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        new((content, ended) => SendAsync(method.Path, content, ended), cancellationToken);

    /// <summary>Closes the connection under all channels that were made from this one.</summary>
    public ValueTask DisposeAsync()
    {
        _invoker.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends quietly when the server has answered early; throws only what came out of <paramref name="requests"/>.</summary>
    private static async Task PumpAsync<TRequest, TResponse>(
        RpcDuplexCall<TRequest, TResponse> call,
        IAsyncEnumerable<TRequest> requests,
        CancellationTokenSource ended)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        try
        {
            await foreach (var request in requests.WithCancellation(ended.Token))
            {
                try
                {
                    await call.WriteAsync(request, ended.Token);
                }
                catch (Exception failure) when (failure is RpcException or OperationCanceledException)
                {
                    return;
                }
            }

            await call.CompleteAsync();
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
        }
        catch
        {
            await ended.CancelAsync();
            throw;
        }
    }

    private static SocketsHttpHandler NewHandler() => new()
    {
        EnableMultipleHttp2Connections = false,
        InitialHttp2StreamWindowSize = StreamWindow,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
    };

    private Task<HttpResponseMessage> SendAsync(string path, HttpContent content, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_root, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        foreach (var (name, value) in _headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return _invoker.SendAsync(request, cancellationToken);
    }
}
