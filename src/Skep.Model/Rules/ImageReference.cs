using System.Text.RegularExpressions;

namespace Skep.Model.Rules;

/// <summary>What may stand for an image: <c>[host[:port]/]path[:tag][@algorithm:digest]</c>, path in lower case.</summary>
internal static partial class ImageReference
{
    private const int LongestName = 255;

    public static bool IsValid(string text)
    {
        var match = Form().Match(text);
        return match.Success && match.Groups["name"].Length <= LongestName;
    }

    [GeneratedRegex(
        @"\A(?<name>(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?" +
        @"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)" +
        @"(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Form();
}
