using System.Globalization;
using Skep.Model.Errors;

namespace Skep.Agent.Runtime;

/// <summary>Names and numbers of Linux's signals (signal(7), the numbers of x86 and ARM).</summary>
public static class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;

    private static readonly string[] s_names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>SIGTERM, TERM, 15 or RTMIN+3 as a number.</summary>
    public static int Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 64)
        {
            return number;
        }

        var name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        var index = name.Length == 0 ? -1 : Array.IndexOf(s_names, name);
        return index > 0 ? index : ParseRealTime(name) ?? throw ClusterException.Invalid($"Invalid signal: {text}");
    }

    private static int? ParseRealTime(string name)
    {
        // The C library keeps 32 and 33 for itself, so RTMIN is 34.
        var (start, sign) = name.StartsWith("RTMIN", StringComparison.Ordinal) ? (34, '+') : name.StartsWith("RTMAX", StringComparison.Ordinal) ? (64, '-') : (0, ' ');
        if (start == 0)
        {
            return name switch { "CLD" => 17, "POLL" => 29, "IOT" => 6, _ => null };
        }

        var rest = name[5..];
        if (rest.Length == 0)
        {
            return start;
        }

        return rest[0] == sign && int.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) && offset <= 30
            ? start + (sign == '+' ? offset : -offset)
            : null;
    }
}
