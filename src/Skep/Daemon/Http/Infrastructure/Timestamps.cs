using System.Globalization;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>Moments as text, in both directions.</summary>
public static class Timestamps
{
    private const int TicksPerSecondDigits = 7;

    /// <summary>RFC 3339 with exactly nine fractional digits, as log lines carry it.</summary>
    public static string NineDigits(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture) + "00Z";

    public static long UnixNanoseconds(DateTimeOffset moment) => (moment - DateTimeOffset.UnixEpoch).Ticks * 100;

    public static bool TryParse(string text, out DateTimeOffset moment)
    {
        var parts = text.Split('.');
        if (parts.Length <= 2 && long.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
            && TryTicks(parts.Length == 2 ? parts[1] : "", out var ticks))
        {
            var inRange = seconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds() && seconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds();
            moment = inRange ? DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(ticks) : default;
            return inRange;
        }

        return DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out moment);
    }

    private static bool TryTicks(string fraction, out long ticks) =>
        long.TryParse(
            fraction.PadRight(TicksPerSecondDigits, '0')[..TicksPerSecondDigits], NumberStyles.None, CultureInfo.InvariantCulture, out ticks);
}
