using System.Globalization;
using System.Text.Json;

namespace Skep.Agent.Images;

public static class ImageTimes
{
    /// <summary>When an image was made, by its configuration; the epoch when that does not say.</summary>
    public static DateTimeOffset Created(JsonElement configuration) =>
        configuration.ValueKind == JsonValueKind.Object && configuration.TryGetProperty("created", out var created)
        && created.ValueKind == JsonValueKind.String
        && DateTimeOffset.TryParse(created.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : DateTimeOffset.UnixEpoch;
}
