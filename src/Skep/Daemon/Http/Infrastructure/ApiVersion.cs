using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>A version of the Engine API: 1.50.</summary>
public readonly record struct ApiVersion(int Major, int Minor) : IComparable<ApiVersion>
{
    public static readonly ApiVersion Least = new(1, 24);
    public static readonly ApiVersion Newest = new(1, 50);

    public static bool operator <(ApiVersion left, ApiVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(ApiVersion left, ApiVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(ApiVersion left, ApiVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ApiVersion left, ApiVersion right) => left.CompareTo(right) >= 0;

    public int CompareTo(ApiVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    /// <summary>Splits <c>/v1.50/info</c> into the version and <c>/info</c>; false when the path has no version.</summary>
    public static bool TrySplit(string path, out ApiVersion version, [NotNullWhen(true)] out string? rest)
    {
        version = default;
        rest = null;
        if (!path.StartsWith("/v", StringComparison.Ordinal))
        {
            return false;
        }

        var end = path.IndexOf('/', 2);
        end = end < 0 ? path.Length : end;
        var text = path.AsSpan(2, end - 2);
        var dot = text.IndexOf('.');
        if (dot < 0 || !Digits(text[..dot], out var major) || !Digits(text[(dot + 1)..], out var minor))
        {
            return false;
        }

        version = new ApiVersion(major, minor);
        rest = end == path.Length ? "/" : path[end..];
        return true;
    }

    private static bool Digits(ReadOnlySpan<char> text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
