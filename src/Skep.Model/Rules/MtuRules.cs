using System.Globalization;
using Skep.Model.Specs;

namespace Skep.Model.Rules;

/// <summary>How large a network's packets may be, where its maker says so.</summary>
public static class MtuRules
{
    /// <summary>A driver option: bytes of the largest packet inside the network.</summary>
    public const string Option = "com.docker.network.driver.mtu";

    /// <summary>What every link that carries IPv6 must take (RFC 8200, section 5); Linux has no IPv6 on a narrower one.</summary>
    public const int LeastForIPv6 = 1280;

    // RFC 791, section 3.2, and what a length of 16 bits can say.
    private const int Least = 68;
    private const int Most = 65535;

    /// <summary>Null when nobody says, or nothing of use.</summary>
    public static int? Of(NetworkSpec spec) =>
        TextOf(spec) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var mtu) && mtu is >= Least and <= Most ? mtu : null;

    public static IEnumerable<Problem> Check(NetworkSpec spec)
    {
        if (TextOf(spec) is not { } text)
        {
            yield break;
        }

        if (Of(spec) is not { } mtu)
        {
            yield return new Problem($"option {Option} is \"{text}\"; allowed: bytes from {Least} to {Most}");
        }
        else if (spec.EnableIPv6 && mtu < LeastForIPv6)
        {
            yield return new Problem($"option {Option} is \"{text}\"; a network of IPv6 needs {LeastForIPv6} at least");
        }
    }

    private static string? TextOf(NetworkSpec spec) => spec.DriverConfiguration?.Options?.TryGetValue(Option, out var text) == true ? text : null;
}
