using System.Text.RegularExpressions;
using Skep.Model.Errors;

namespace Skep.Model.Rules;

/// <summary>
/// The name of an image, whole: registry, repository, and a tag or a digest or both. Grammar: the distribution project's
/// reference grammar, with Docker's defaults (<c>docker.io</c>, <c>library/</c>, <c>latest</c>).
/// </summary>
/// <param name="Domain">Registry, with its port: docker.io, 127.0.0.1:5000.</param>
/// <param name="Path">Repository within the registry: library/nginx.</param>
/// <param name="Tag">Null when only a digest was given.</param>
/// <param name="Digest">sha256:… or null.</param>
public sealed partial record ImageReference(string Domain, string Path, string? Tag, string? Digest)
{
    public const string DefaultDomain = "docker.io";
    public const string DefaultTag = "latest";
    private const string OfficialPrefix = "library/";
    private const int LongestName = 255;

    /// <summary>docker.io/library/nginx</summary>
    public string Repository => $"{Domain}/{Path}";

    /// <summary>nginx; docker.io and library/ left away, as people write it.</summary>
    public string FamiliarName => Domain != DefaultDomain ? Repository
        : Path.StartsWith(OfficialPrefix, StringComparison.Ordinal) && !Path.AsSpan(OfficialPrefix.Length).Contains('/')
            ? Path[OfficialPrefix.Length..]
            : Path;

    /// <summary>nginx:latest, or nginx@sha256:…</summary>
    public string Familiar => FamiliarName + Suffix;

    /// <summary>docker.io/library/nginx:latest</summary>
    public string Canonical => Repository + Suffix;

    private string Suffix => (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    /// <summary>Parses what a person wrote; without a tag and a digest the tag is <c>latest</c>. InvalidArgument <c>invalid reference format</c>.</summary>
    public static ImageReference Parse(string text) => ParseBare(text).WithDefaultTag();

    /// <summary>As <see cref="Parse"/>, but Tag and Digest stay null where none was written.</summary>
    public static ImageReference ParseBare(string text) =>
        TryParseBare(text, out var reference, out var problem) ? reference! : throw ClusterException.Invalid(problem);

    public static bool TryParse(string text, out ImageReference? reference)
    {
        var good = TryParseBare(text, out reference, out _);
        reference = reference?.WithDefaultTag();
        return good;
    }

    public static bool IsValid(string text) => TryParseBare(text, out _, out _);

    public ImageReference WithDefaultTag() => Tag is null && Digest is null ? this with { Tag = DefaultTag } : this;

    /// <summary>Whether the text is an image's id or could be the beginning of one, rather than a name.</summary>
    public static bool LooksLikeId(string text) => IdPattern().IsMatch(text);

    public static bool IsDigest(string text) => DigestPattern().IsMatch(text);

    public static bool IsTag(string text) => TagPattern().IsMatch(text);

    public override string ToString() => Canonical;

    private static bool TryParseBare(string text, out ImageReference? reference, out string problem)
    {
        reference = null;
        problem = "invalid reference format";
        if (WholeIdPattern().IsMatch(text))
        {
            problem = $"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings";
            return false;
        }
        var rest = text;
        string? digest = null;
        string? tag = null;
        if (rest.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at)
        {
            digest = rest[(at + 1)..];
            rest = rest[..at];
            if (!IsDigest(digest))
            {
                return false;
            }
        }
        if (rest.LastIndexOf(':') is >= 0 and var colon && rest.IndexOf('/', colon) < 0)
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
            if (!IsTag(tag))
            {
                return false;
            }
        }
        var (domain, path) = SplitDomain(rest);
        if (path.Any(char.IsAsciiLetterUpper))
        {
            problem = $"invalid reference format: repository name ({path}) must be lowercase";
            return false;
        }
        if (!DomainPattern().IsMatch(domain) || !PathPattern().IsMatch(path))
        {
            return false;
        }
        if (domain.Length + 1 + path.Length > LongestName)
        {
            problem = "invalid reference format: repository name must not be more than 255 characters";
            return false;
        }
        reference = new ImageReference(domain, path, tag, digest);
        return true;
    }

    // The first part is a registry only if it could not be a user's name: it has a dot or a port, or is localhost.
    private static (string Domain, string Path) SplitDomain(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        var named = first.AsSpan().IndexOfAny('.', ':') >= 0 || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        var (domain, path) = named ? (first, name[(slash + 1)..]) : (DefaultDomain, name);
        if (domain == "index.docker.io")
        {
            domain = DefaultDomain;
        }
        return domain == DefaultDomain && !path.Contains('/', StringComparison.Ordinal) ? (domain, OfficialPrefix + path) : (domain, path);
    }

    [GeneratedRegex(@"^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DomainPattern();

    [GeneratedRegex(@"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex PathPattern();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TagPattern();

    [GeneratedRegex(@"^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})\z", RegexOptions.CultureInvariant)]
    private static partial Regex DigestPattern();

    [GeneratedRegex(@"^(?:sha256:)?[a-f0-9]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern();

    [GeneratedRegex(@"^[a-f0-9]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex WholeIdPattern();
}
