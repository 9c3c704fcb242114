using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Skep.Rpc.Framing;

namespace Skep.Rpc.Client;

/// <summary>Reads the messages of one answer and then its status. Used by one reader at a time.</summary>
internal sealed class RpcReply<T>(Task<HttpResponseMessage> sending) : IAsyncDisposable
    where T : class, IMessage<T>, new()
{
    private static readonly StreamPipeReaderOptions s_pipe = new(bufferSize: 16 * 1024);

    private HttpResponseMessage? _response;
    private PipeReader? _reader;

    /// <summary>The next message; null when the call has ended well.</summary>
    /// <exception cref="RpcException">The call has ended with another status.</exception>
    public async ValueTask<T?> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            _response ??= await sending.WaitAsync(cancellationToken);
            _reader ??= await OpenAsync(_response, cancellationToken);
            if (await RpcFrames.ReadAsync<T>(_reader, cancellationToken) is { } message)
            {
                return message;
            }

            Check(_response.TrailingHeaders, "The answer ended without a status.");
            return null;
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw RpcFailure.From(failure, cancellationToken);
        }
    }

    /// <summary>The only message of the answer.</summary>
    public async Task<T> SingleAsync(CancellationToken cancellationToken)
    {
        var message = await NextAsync(cancellationToken)
            ?? throw new RpcException(RpcStatusCode.Internal, "The answer has a status and no message.");
        return await NextAsync(cancellationToken) is null
            ? message
            : throw new RpcException(RpcStatusCode.Internal, "The answer has more than one message.");
    }

    /// <summary>Resets the stream when the answer has not been read to its end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_reader is not null)
        {
            await _reader.CompleteAsync();
        }

        if (_response is not null)
        {
            _response.Dispose();
        }
        else
        {
            // Whoever cancels the sending sees its exception; an answer that came all the same must be closed.
            await sending.ContinueWith(
                static sent => (sent.IsCompletedSuccessfully ? sent.GetAwaiter().GetResult() : null)?.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.None,
                TaskScheduler.Default);
        }
    }

    private static async Task<PipeReader> OpenAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        // An answer of nothing but a status has it among the headers.
        if (response.Headers.Contains("grpc-status"))
        {
            Check(response.Headers, "");
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new RpcException(RpcFailure.FromHttp(response.StatusCode), $"The other side answered with HTTP status {(int)response.StatusCode}.");
        }

        return response.Content.Headers.ContentType?.MediaType?.StartsWith(RpcFrames.ContentType, StringComparison.Ordinal) == true
            ? PipeReader.Create(await response.Content.ReadAsStreamAsync(cancellationToken), s_pipe)
            : throw new RpcException(RpcStatusCode.Unknown, $"The answer is {response.Content.Headers.ContentType?.ToString() ?? "of no type"} and no gRPC.");
    }

    private static void Check(HttpResponseHeaders headers, string whenMissing)
    {
        if (!headers.NonValidated.TryGetValues("grpc-status", out var values))
        {
            throw new RpcException(RpcStatusCode.Internal, whenMissing);
        }

        var status = values.ToString();
        if (status == "0")
        {
            return;
        }

        var code = int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 16
            ? (RpcStatusCode)number
            : RpcStatusCode.Unknown;
        var text = headers.NonValidated.TryGetValues("grpc-message", out var message) ? StatusText.Decode(message.ToString()) : code.ToString();
        throw new RpcException(code, text);
    }
}
