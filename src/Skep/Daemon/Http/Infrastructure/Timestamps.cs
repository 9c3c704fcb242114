using System.Globalization;
using System.Text.RegularExpressions;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>Moments as text, in both directions.</summary>
public static partial class Timestamps
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

    /// <summary>A moment, or a duration before now in Go's form (1h30m, 10s); null when it is neither.</summary>
    public static DateTimeOffset? MomentOrAgo(string text, TimeProvider clock) =>
        TryParse(text, out var moment) ? moment : TryDuration(text) is { } ago ? clock.GetUtcNow() - ago : null;

    private static TimeSpan? TryDuration(string text)
    {
        var match = GoDuration().Match(text);
        if (!match.Success)
        {
            return null;
        }

        var seconds = 0.0;
        for (var i = 0; i < match.Groups["n"].Captures.Count; i++)
        {
            var number = double.Parse(match.Groups["n"].Captures[i].Value, CultureInfo.InvariantCulture);
            seconds += number * match.Groups["u"].Captures[i].Value switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 1e-3, _ => 1e-6 };
        }

        return TimeSpan.FromSeconds(seconds);
    }

    [GeneratedRegex(@"\A(?:(?<n>\d+(?:\.\d+)?)(?<u>h|ms|us|m|s))+\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex GoDuration();

    private static bool TryTicks(string fraction, out long ticks) =>
        long.TryParse(
            fraction.PadRight(TicksPerSecondDigits, '0')[..TicksPerSecondDigits], NumberStyles.None, CultureInfo.InvariantCulture, out ticks);
}
