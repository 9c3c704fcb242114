using System.Globalization;
using System.Text.RegularExpressions;
using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Containers;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>GET /containers/json: newest first; without <c>all</c> only what runs.</summary>
internal static class ContainerList
{
    private static readonly string[] s_states = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
    private static readonly string[] s_healths = ["none", "starting", "healthy", "unhealthy"];
    private static readonly TimeSpan s_patternPatience = TimeSpan.FromMilliseconds(100);

    public static Task AnswerAsync(HttpContext context, IContainerRuntime runtime, ContainerShapes shapes)
    {
        var filters = Filters.Of(
            context, "ancestor", "before", "exited", "expose", "health", "id", "is-task", "label", "name", "network", "publish", "since", "status", "volume");
        RequireWords(filters, "status", s_states);
        RequireWords(filters, "health", s_healths);
        var limit = context.Number("limit") ?? 0;
        var all = context.Flag("all") || limit > 0 || filters.Has("status");
        var matches = Match(filters, runtime);
        IEnumerable<ContainerSummary> rows = runtime.Containers
            .Where(c => (all || c.IsRunning()) && matches(c))
            .OrderByDescending(c => c.CreatedAt).ThenBy(c => c.Id, StringComparer.Ordinal)
            .Select(shapes.Summary)
            .Where(row => MatchesShown(row, filters));
        IReadOnlyList<ContainerSummary> shown = [.. limit > 0 ? rows.Take((int)Math.Min(limit, int.MaxValue)) : rows];
        return context.WriteJsonAsync(shown, ContainerJson.Default.IReadOnlyListContainerSummary);
    }

    private static Func<ContainerSnapshot, bool> Match(Filters filters, IContainerRuntime runtime)
    {
        var before = filters["before"].Select(r => (DateTimeOffset?)runtime.Find(r).CreatedAt).Min();
        var since = filters["since"].Select(r => (DateTimeOffset?)runtime.Find(r).CreatedAt).Max();
        var codes = filters["exited"].Select(text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code)
            ? code
            : throw ClusterException.Invalid($"invalid filter 'exited={text}'")).ToHashSet();
        var task = filters.Flag("is-task");
        return container =>
            (before is null || container.CreatedAt < before)
            && (since is null || container.CreatedAt > since)
            && (codes.Count == 0 || (container.State == ContainerState.Exited && codes.Contains(container.ExitCode)))
            && (task is null || container.IsTask() == task)
            && filters.Any("id", id => container.Id.StartsWith(id, StringComparison.Ordinal))
            && filters.Any("name", name => NameMatches(container.Recipe.Name, name))
            && filters.Any("status", state => state == container.StateWord())
            && filters.Any("health", health => health == container.HealthWord())
            && filters.Any("ancestor", image => ImageMatches(container, image))
            && filters.Labels("label", container.Labels());
    }

    /// <summary>The filters that ask for what only the finished row tells.</summary>
    private static bool MatchesShown(ContainerSummary row, Filters filters) =>
        filters.Any("network", network => row.NetworkSettings.Networks.Any(n => n.Key == network || n.Value.NetworkID == network))
        && filters.Any("volume", volume => row.Mounts.Any(m => m.Name == volume || m.Destination == volume))
        && filters.Any("publish", port => row.Ports.Any(p => p.PublicPort is { } number && PortMatches(port, number, p.Type)))
        && filters.Any("expose", port => row.Ports.Any(p => PortMatches(port, p.PrivatePort, p.Type)));

    /// <summary>A regular expression that may stand anywhere in the name, which may have its slash.</summary>
    private static bool NameMatches(string name, string pattern)
    {
        try
        {
            return Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant, s_patternPatience)
                || Regex.IsMatch("/" + name, pattern, RegexOptions.CultureInvariant, s_patternPatience);
        }
        catch (Exception unusable) when (unusable is ArgumentException or RegexMatchTimeoutException)
        {
            return false;
        }
    }

    /// <summary>By the image's id (or its beginning), or by its name with or without tag and digest.</summary>
    private static bool ImageMatches(ContainerSnapshot container, string image)
    {
        const string Algorithm = "sha256:";
        var id = container.ImageId;
        var name = container.Recipe.Image;
        return id == image
            || (image.Length >= 4 && id.StartsWith(image.StartsWith(Algorithm, StringComparison.Ordinal) ? image : Algorithm + image, StringComparison.Ordinal))
            || name == image
            || name.StartsWith(image + "@", StringComparison.Ordinal)
            || (name.StartsWith(image + ":", StringComparison.Ordinal) && !name[(image.Length + 1)..].Contains('/', StringComparison.Ordinal));
    }

    /// <summary>80, 80/tcp or 80-90/tcp.</summary>
    private static bool PortMatches(string wanted, uint port, string protocol)
    {
        var parts = wanted.Split('/');
        var range = parts[0].Split('-');
        return (parts.Length == 1 ? "tcp" : parts[1]) == protocol
            && uint.TryParse(range[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && uint.TryParse(range[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && port >= first && port <= last;
    }

    private static void RequireWords(Filters filters, string key, string[] words)
    {
        if (filters[key].FirstOrDefault(value => !words.Contains(value)) is { } unknown)
        {
            throw ClusterException.Invalid($"invalid filter '{key}={unknown}'");
        }
    }
}
