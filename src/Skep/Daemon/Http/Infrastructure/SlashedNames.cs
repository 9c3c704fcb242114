namespace Skep.Daemon.Http.Infrastructure;

/// <summary>
/// Names of images and plugins have slashes (<c>/images/docker.io/library/nginx/json</c>), and routing takes a slash for the end of
/// a segment. Before routing, the slashes inside such a name become U+001F, which no name has; <see cref="Unfold"/> brings them back.
/// Routes are then plain: <c>/images/{name}/json</c>.
/// </summary>
internal static class SlashedNames
{
    private const char Folded = '\u001f';

    private static readonly (string Prefix, string[] Verbs)[] s_nouns =
    [
        ("/images/", ["json", "history", "push", "tag", "get", "attestations"]),
        ("/distribution/", ["json"]),
        ("/plugins/", ["json", "enable", "disable", "push", "upgrade", "set"]),
    ];

    /// <summary>The last segments of these nouns that are not names.</summary>
    private static readonly HashSet<string> s_whole =
    [
        "/images/json", "/images/create", "/images/load", "/images/get", "/images/prune", "/images/search", "/plugins/privileges", "/plugins/pull", "/plugins/create",
    ];

    public static string Fold(string path)
    {
        foreach (var (prefix, verbs) in s_nouns)
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && !s_whole.Contains(path))
            {
                var name = path[prefix.Length..];
                var last = name.LastIndexOf('/');
                var hasVerb = last > 0 && verbs.Contains(name[(last + 1)..], StringComparer.Ordinal);
                return hasVerb
                    ? $"{prefix}{name[..last].Replace('/', Folded)}{name[last..]}"
                    : prefix + name.Replace('/', Folded);
            }
        }

        return path;
    }

    public static string Unfold(string segment) => segment.Replace(Folded, '/');
}
