using System.Globalization;
using System.Text.RegularExpressions;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>
/// The names and paths of one lab. All follow from its name, so that a lab is found again after everything of it was killed, and two
/// labs share nothing.
/// </summary>
internal sealed partial record LabPlace
{
    /// <summary>One folder per lab; the folder is what makes a lab exist.</summary>
    public const string Root = "/var/lib/skep-lab";

    /// <summary>One folder per lab with the sockets of its machines.</summary>
    public const string RunRoot = "/run/skep-lab";

    public LabPlace(string name)
    {
        if (!ValidName().IsMatch(name))
        {
            throw ClusterException.Invalid($"A lab cannot be called '{name}': up to 30 small letters, digits and hyphens, beginning with a letter.");
        }

        Name = name;
    }

    public string Name { get; }

    public string Folder => $"{Root}/{Name}";

    public string StateFile => $"{Folder}/lab.json";

    public string LockFile => $"/run/lock/skep-lab.{Name}";

    public string RunFolder => $"{RunRoot}/{Name}";

    /// <summary>The network namespace with the bridge that the machines are plugged into.</summary>
    public string Switch => $"skep-lab-{Name}";

    /// <summary>Below the root of every cgroup hierarchy.</summary>
    public string Cgroup => $"skep-lab/{Name}";

    public string NodeFolder(int node) => string.Create(CultureInfo.InvariantCulture, $"{Folder}/node{node}");

    [GeneratedRegex("^[a-z][a-z0-9-]{0,29}$")]
    private static partial Regex ValidName();
}
