using System.Text.RegularExpressions;

namespace Skep.EndToEndTests.Swarm;

/// <summary>
/// The docker command line of Debian 12 (20.10) says in its own words what the daemon has not found; the newer ones pass the daemon's on.
/// </summary>
internal static partial class ClientWords
{
    /// <summary>What was said, in the newer client's words.</summary>
    public static string Newer(string said) => NoSuchContainer().Replace(
        NoSuchObject().Replace(said, "Error response from daemon: $1 $2 not found"),
        "Error response from daemon: No such container: ");

    [GeneratedRegex("^Error: No such (service|network|node): (\\S+)", RegexOptions.Multiline)]
    private static partial Regex NoSuchObject();

    [GeneratedRegex("^Error: No such container: ", RegexOptions.Multiline)]
    private static partial Regex NoSuchContainer();
}
