using System.Text.Json.Serialization.Metadata;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>Answers whose body comes piece by piece.</summary>
public static class StreamingAnswers
{
    /// <summary>Sends status and headers now: clients of events, wait and logs go on only when they have them.</summary>
    public static async Task<Stream> BeginStreamAsync(this HttpContext context, string contentType)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = contentType;
        await context.Response.StartAsync(context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        return context.Response.Body;
    }

    /// <summary>One JSON value and a newline, sent at once.</summary>
    public static async Task WriteJsonLineAsync<T>(this Stream output, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        await output.WriteAsync(JsonExchange.ToJsonLine(value, type), cancellationToken);
        await output.FlushAsync(cancellationToken);
    }
}
