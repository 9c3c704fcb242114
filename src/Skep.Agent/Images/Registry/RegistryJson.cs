using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Skep.Agent.Images.Registry;

/// <summary>The errors body of the distribution specification.</summary>
internal sealed record RegistryErrors([property: JsonPropertyName("errors")] IReadOnlyList<RegistryError>? Errors)
{
    private const int LongestBody = 64 * 1024;

    public static async Task<RegistryException> ReadAsync(HttpResponseMessage response, bool hadCredentials, CancellationToken cancellationToken)
    {
        var error = await ReadFirstAsync(response, cancellationToken);
        var message = string.IsNullOrEmpty(error?.Message)
            ? $"received unexpected HTTP status: {(int)response.StatusCode} {response.ReasonPhrase}"
            : error.Message;
        return new RegistryException(response.StatusCode, error?.Code ?? CodeOf(response), message, hadCredentials);
    }

    // A HEAD's answer has no body; what a GET would have said can be told from the path.
    private static string CodeOf(HttpResponseMessage response) => response.StatusCode switch
    {
        HttpStatusCode.Unauthorized => "UNAUTHORIZED",
        HttpStatusCode.TooManyRequests => "TOOMANYREQUESTS",
        _ => "",
    };

    private static async Task<RegistryError?> ReadFirstAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var bytes = await BoundedBody.ReadAsync(body, LongestBody, cancellationToken);
            return JsonSerializer.Deserialize(bytes.Span, RegistryJson.Default.RegistryErrors)?.Errors is [var first, ..] ? first : null;
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or HttpRequestException or IOException)
        {
            return null;
        }
    }
}

internal sealed record RegistryError(
    [property: JsonPropertyName("code")] string? Code,
    [property: JsonPropertyName("message")] string? Message);

/// <summary>A token server's answer; the names are those of the distribution token specification and of OAuth 2.</summary>
internal sealed record TokenAnswer(
    [property: JsonPropertyName("token")] string? Token,
    [property: JsonPropertyName("access_token")] string? AccessToken);

[JsonSerializable(typeof(RegistryErrors))]
[JsonSerializable(typeof(TokenAnswer))]
internal sealed partial class RegistryJson : JsonSerializerContext;
