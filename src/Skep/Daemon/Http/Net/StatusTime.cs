using System.Globalization;

namespace Skep.Daemon.Http.Net;

/// <summary>A point in time as the status prints it: UTC, in seconds, without blanks.</summary>
internal static class StatusTime
{
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
