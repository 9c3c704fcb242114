using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>JSON in and out, as Docker's clients expect it: no HTML escaping, one newline at the end, and a bare content type.</summary>
public static class JsonExchange
{
    /// <summary>Without a charset: the CLI shows raw text of errors whose content type has one.</summary>
    public const string ContentType = "application/json";

    /// <summary>The longest JSON that is accepted.</summary>
    public const int MaxBodyBytes = 8 << 20;

    /// <summary>As much of a body that is too long is taken in and thrown away.</summary>
    private const int MaxDrainedBytes = 256 << 20;

    private static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static byte[] ToJsonLine<T>(T value, JsonTypeInfo<T> type)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, s_writing))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    public static Task WriteJsonAsync<T>(this HttpContext context, T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        var body = ToJsonLine(value, type);
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = ContentType;
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>Answers with nothing but a status.</summary>
    public static Task WriteEmptyAsync(this HttpContext context, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        if (status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified))
        {
            context.Response.ContentLength = 0;
        }

        return Task.CompletedTask;
    }

    /// <summary>Reads the request's JSON object. Names are matched whatever their case when the context says so.</summary>
    /// <exception cref="ClusterException">InvalidArgument: no body, another content type, malformed, or more than one object.</exception>
    public static async Task<T> ReadJsonAsync<T>(this HttpContext context, JsonTypeInfo<T> type)
        where T : class =>
        await context.ReadOptionalJsonAsync(type) ?? throw ClusterException.Invalid("invalid JSON: got EOF while reading request body");

    /// <summary>Reads the request's JSON object, or null when there is no body.</summary>
    public static async Task<T?> ReadOptionalJsonAsync<T>(this HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        var body = await ReadBodyAsync(context);
        if (body.Length == 0)
        {
            return null;
        }

        RequireJson(context.Request.ContentType);
        try
        {
            return JsonSerializer.Deserialize(body.Span, type) ?? throw ClusterException.Invalid("invalid JSON: null is no object");
        }
        catch (JsonException malformed)
        {
            throw ClusterException.Invalid("invalid JSON: " + Describe(malformed));
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext context)
    {
        using var kept = new MemoryStream();
        var block = new byte[32 << 10];
        var length = 0L;
        for (int read; (read = await context.Request.Body.ReadAsync(block, context.RequestAborted)) > 0 && length < MaxDrainedBytes;)
        {
            length += read;
            if (length <= MaxBodyBytes)
            {
                kept.Write(block, 0, read);
            }
        }

        // A client that still writes when the connection closes tells its user of a broken pipe, not what the answer says; so the
        // rest is taken off it first.
        return length <= MaxBodyBytes
            ? kept.GetBuffer().AsMemory(0, (int)kept.Length)
            : throw new BadHttpRequestException($"Request body too large. The max request body size is {MaxBodyBytes} bytes.", 413);
    }

    private static void RequireJson(string? contentType)
    {
        var media = contentType?.Split(';')[0].Trim();
        if (!string.Equals(media, ContentType, StringComparison.OrdinalIgnoreCase))
        {
            throw ClusterException.Invalid(
                string.IsNullOrEmpty(media)
                    ? "malformed Content-Type header (): mime: no media type"
                    : $"unsupported Content-Type header ({contentType}): must be 'application/json'");
        }
    }

    private static string Describe(JsonException malformed) =>
        malformed.Message.Contains("LineNumber", StringComparison.Ordinal)
            ? malformed.Message[..malformed.Message.IndexOf("LineNumber", StringComparison.Ordinal)].TrimEnd(' ', '|') + At(malformed)
            : malformed.Message;

    private static string At(JsonException malformed) => string.IsNullOrEmpty(malformed.Path) ? "" : $" (at {malformed.Path})";
}
