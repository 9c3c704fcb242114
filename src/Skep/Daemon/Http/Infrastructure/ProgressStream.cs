using System.Text.Json.Serialization;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>
/// The progress of a pull, load or import: JSON objects, one per line. A refusal before the first line is an ordinary error
/// answer; after it, an object with <c>errorDetail</c> in the stream.
/// </summary>
public sealed class ProgressStream(HttpContext context)
{
    private Stream? _output;

    /// <summary>Runs <paramref name="work"/>, which reports through this object.</summary>
    public async Task RunAsync(Func<ProgressStream, Task> work)
    {
        try
        {
            await work(this);
            await OpenAsync();
        }
        catch (Exception failure) when (_output is not null && failure is ClusterException or IOException or HttpRequestException)
        {
            var line = new ProgressLine { Error = failure.Message, ErrorDetail = new ProgressError(null, failure.Message) };
            await WriteAsync(line, context.RequestAborted);
        }
    }

    public async Task WriteAsync(ProgressLine line, CancellationToken cancellationToken)
    {
        var output = await OpenAsync();
        await output.WriteJsonLineAsync(line, ProgressJson.Default.ProgressLine, cancellationToken);
    }

    private async Task<Stream> OpenAsync() => _output ??= await context.BeginStreamAsync(JsonExchange.ContentType);
}

/// <summary>One line; what is null is left out.</summary>
public sealed record ProgressLine
{
    public string? Stream { get; init; }
    public string? Status { get; init; }
    public ProgressDetail? ProgressDetail { get; init; }
    public string? Id { get; init; }
    public ProgressError? ErrorDetail { get; init; }
    public string? Error { get; init; }
}

public sealed record ProgressDetail(long? Current, long? Total);

public sealed record ProgressError(int? Code, string Message);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProgressLine))]
internal sealed partial class ProgressJson : JsonSerializerContext;
