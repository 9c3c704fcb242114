using System.Globalization;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>What a request's address says, read as Docker's daemon reads it.</summary>
public static class RequestQuery
{
    /// <summary>A part of the path: <c>{name}</c>. Slashes inside names of images and plugins are there again.</summary>
    public static string Segment(this HttpContext context, string name) =>
        SlashedNames.Unfold(context.GetRouteValue(name) as string ?? "");

    public static string? Text(this HttpContext context, string key) =>
        context.Request.Query.TryGetValue(key, out var value) ? value.ToString() : null;

    /// <summary>False when absent, empty, 0, no, false or none; true for all else.</summary>
    public static bool Flag(this HttpContext context, string key) => IsTrue(context.Text(key));

    public static bool IsTrue(string? text) => text?.Trim().ToLowerInvariant() is not (null or "" or "0" or "no" or "false" or "none");

    /// <summary>Null when absent or empty.</summary>
    public static long? Number(this HttpContext context, string key)
    {
        var text = context.Text(key);
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw ClusterException.Invalid($"bad parameter {key}: '{text}' is no number");
    }

    /// <summary>The version that an update is based on; needed.</summary>
    public static ulong ObjectVersion(this HttpContext context)
    {
        var text = context.Text("version") ?? "";
        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw ClusterException.Invalid($"invalid version '{text}'");
    }

    /// <summary>A moment: Unix seconds with an optional fraction, or RFC 3339. Null when absent, empty or 0.</summary>
    public static DateTimeOffset? Moment(this HttpContext context, string key)
    {
        var text = context.Text(key);
        if (string.IsNullOrEmpty(text) || text == "0")
        {
            return null;
        }

        return Timestamps.TryParse(text, out var moment) ? moment : throw ClusterException.Invalid($"invalid value for \"{key}\": {text}");
    }

    /// <summary>Lines from the end: null for all (absent, "all", or no number).</summary>
    public static int? Tail(this HttpContext context) =>
        int.TryParse(context.Text("tail"), NumberStyles.None, CultureInfo.InvariantCulture, out var lines) ? lines : null;

    /// <summary>The API version that the client speaks.</summary>
    public static ApiVersion ApiVersion(this HttpContext context) =>
        context.Features.Get<ApiVersionFeature>()?.Version ?? Infrastructure.ApiVersion.Newest;
}
