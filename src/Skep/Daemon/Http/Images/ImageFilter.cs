using System.Globalization;
using System.IO.Enumeration;
using Skep.Agent.Images;
using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.Daemon.Http.Images;

/// <summary>The filters of image lists and of prune.</summary>
internal static class ImageFilter
{
    public static async Task<IReadOnlyList<LocalImage>> ApplyAsync(
        IReadOnlyList<LocalImage> images, Filters filters, IImageStore store, CancellationToken cancellationToken)
    {
        var dangling = filters.Flag("dangling");
        var before = await BoundAsync("before", filters, store, cancellationToken);
        var since = await BoundAsync("since", filters, store, cancellationToken);
        return
        [
            .. images.Where(image => (dangling is null || dangling == (image.Tags.Count == 0))
                && (before is null || ImageTimes.Created(image.Configuration) < before)
                && (since is null || ImageTimes.Created(image.Configuration) > since)
                && filters.Any("until", until => ImageTimes.Created(image.Configuration) < Moment(until, TimeProvider.System))
                && filters.Labels("label", ImageShape.Labels(image)))
                .Select(image => Referenced(image, filters))
                .OfType<LocalImage>(),
        ];
    }

    public static bool Prunable(LocalImage image, Filters filters, TimeProvider clock) =>
        filters.Labels("label", ImageShape.Labels(image))
        && (!filters.Has("label!") || !filters.Labels("label!", ImageShape.Labels(image)))
        && filters.Any("until", until => ImageTimes.Created(image.Configuration) < Moment(until, clock));

    /// <summary>The image with only the names that the filter lets through; null when none is left.</summary>
    private static LocalImage? Referenced(LocalImage image, Filters filters)
    {
        if (!filters.Has("reference"))
        {
            return image;
        }
        var patterns = filters["reference"];
        var tags = image.Tags.Where(tag => patterns.Any(pattern => Matches(tag, pattern))).ToList();
        var digests = image.RepoDigests.Where(digest => patterns.Any(pattern => Matches(digest, pattern))).ToList();
        return tags.Count + digests.Count == 0 ? null : image with { Tags = tags, RepoDigests = digests };
    }

    // A pattern is matched with the name alone and with name and tag; a star does not cross a slash.
    private static bool Matches(string name, string pattern)
    {
        var reference = ImageReference.Parse(name);
        return new[] { reference.Familiar, reference.FamiliarName, reference.Canonical, reference.Repository }
            .Any(text => text.Count(c => c == '/') == pattern.Count(c => c == '/') && FileSystemName.MatchesSimpleExpression(pattern, text, ignoreCase: false));
    }

    private static async Task<DateTimeOffset?> BoundAsync(string key, Filters filters, IImageStore store, CancellationToken cancellationToken)
    {
        if (filters[key] is not [var reference, ..])
        {
            return null;
        }
        var image = await store.FindAsync(reference, cancellationToken) ?? throw ClusterException.NoSuchImage(reference);
        return ImageTimes.Created(image.Configuration);
    }

    private static DateTimeOffset Moment(string text, TimeProvider clock)
    {
        if (Timestamps.TryParse(text, out var moment))
        {
            return moment;
        }
        // Go's short durations: 24h, 90m, 10s.
        return text.Length > 1 && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            ? clock.GetUtcNow() - (text[^1] switch
            {
                'h' => TimeSpan.FromHours(count),
                'm' => TimeSpan.FromMinutes(count),
                's' => TimeSpan.FromSeconds(count),
                _ => throw ClusterException.Invalid($"invalid filter 'until={text}'"),
            })
            : throw ClusterException.Invalid($"invalid filter 'until={text}'");
    }
}
