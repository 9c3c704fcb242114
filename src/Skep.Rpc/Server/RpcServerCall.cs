using System.Globalization;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.Rpc.Framing;

namespace Skep.Rpc.Server;

/// <summary>One call on the server's side: its messages in and out, and the status at its end.</summary>
internal sealed class RpcServerCall<TRequest, TResponse>(HttpContext http)
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    // Answers that are ready at once are sent together up to this many bytes.
    private const int LargestBatch = 64 * 1024;

    public RpcContext Context { get; } = new(http);

    public async Task RunAsync(Func<RpcServerCall<TRequest, TResponse>, Task> body)
    {
        if (http.Request.ContentType?.StartsWith(RpcFrames.ContentType, StringComparison.Ordinal) != true)
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        Prepare();
        try
        {
            await body(this);
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
            http.Response.AppendTrailer("grpc-status", "0");
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to read a status.
        }
        catch (Exception failure)
        {
            await RefuseAsync(StatusOf(failure));
        }
    }

    public async Task<TRequest> ReadSingleAsync()
    {
        var message = await NextAsync(http.RequestAborted)
            ?? throw new RpcException(RpcStatusCode.Internal, "The request has no message.");
        return await NextAsync(http.RequestAborted) is null
            ? message
            : throw new RpcException(RpcStatusCode.Internal, "The request has more than one message.");
    }

    public async IAsyncEnumerable<TRequest> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, http.RequestAborted);
        while (await NextAsync(linked.Token) is { } message)
        {
            yield return message;
        }
    }

    public async Task WriteAsync(TResponse message)
    {
        RpcFrames.Write(http.Response.BodyWriter, message);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }

    public async Task WriteAllAsync(IAsyncEnumerable<TResponse> messages)
    {
        var output = http.Response.BodyWriter;
        await using var each = messages.GetAsyncEnumerator(http.RequestAborted);
        while (true)
        {
            var next = each.MoveNextAsync();
            if (!next.IsCompleted || output.UnflushedBytes > LargestBatch)
            {
                await output.FlushAsync(http.RequestAborted);
            }

            if (!await next)
            {
                return;
            }

            RpcFrames.Write(output, each.Current);
        }
    }

    private async ValueTask<TRequest?> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await RpcFrames.ReadAsync<TRequest>(http.Request.BodyReader, cancellationToken);
        }
        catch (IOException lost)
        {
            throw new OperationCanceledException("The caller is gone.", lost, http.RequestAborted);
        }
    }

    private void Prepare()
    {
        // A stream may be silent for hours and carry any number of bytes.
        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        http.Response.ContentType = RpcFrames.ContentType;
    }

    private RpcException StatusOf(Exception failure)
    {
        var logger = http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Skep.Rpc");
        if (failure is OperationCanceledException)
        {
            return new RpcException(RpcStatusCode.Cancelled, "The call was cancelled.");
        }

        var status = failure as RpcException ?? http.RequestServices.GetService<RpcErrorMapper>()?.Map(failure);
        if (status is null)
        {
            logger.CallFailed(failure, http.Request.Path);
            return new RpcException(RpcStatusCode.Unknown, "The handler failed; its node's log has the reason.");
        }

        logger.CallRefused(http.Request.Path, status.Code, status.Message);
        return status;
    }

    /// <summary>The status goes into the trailers, or among the headers when nothing has been sent yet.</summary>
    private async Task RefuseAsync(RpcException status)
    {
        if (http.Response.BodyWriter.UnflushedBytes > 0)
        {
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        }

        var code = ((int)status.Code).ToString(CultureInfo.InvariantCulture);
        var text = StatusText.Encode(status.Message);
        if (http.Response.HasStarted)
        {
            http.Response.AppendTrailer("grpc-status", code);
            http.Response.AppendTrailer("grpc-message", text);
        }
        else
        {
            http.Response.Headers["grpc-status"] = code;
            http.Response.Headers["grpc-message"] = text;
        }
    }
}
