using Skep.Agent.Images.Catalog;
using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.Agent.Images.Archives;

/// <summary>Which images an archive gets, and under which tags: a name gives that tag, a name without a tag all of its repository, an id none.</summary>
internal static class SaveSelection
{
    public static IReadOnlyList<(StoredImage Image, IReadOnlyList<ImageReference> Tags)> Choose(CatalogView view, IReadOnlyList<string> references)
    {
        var chosen = new Dictionary<string, (StoredImage Image, List<ImageReference> Tags)>(StringComparer.Ordinal);
        foreach (var reference in references)
        {
            foreach (var (local, tag) in Resolve(view, reference))
            {
                if (!chosen.TryGetValue(local.Id, out var entry))
                {
                    chosen[local.Id] = entry = (view.Stored(local), []);
                }
                if (tag is not null && !entry.Tags.Contains(tag))
                {
                    entry.Tags.Add(tag);
                }
            }
        }
        return [.. chosen.Values.Select(entry => (entry.Image, (IReadOnlyList<ImageReference>)entry.Tags))];
    }

    private static List<(LocalImage Image, ImageReference? Tag)> Resolve(CatalogView view, string reference)
    {
        if (ImageReference.TryParse(reference, out var parsed))
        {
            if (ImageReference.ParseBare(reference) is { Tag: null, Digest: null })
            {
                var tags = view.NamesIn(parsed!.Repository).Select(name => ImageReference.Parse(name.Name)).ToList();
                if (tags.Count > 0)
                {
                    return [.. tags.Select(tag => (view.Find(tag.Canonical)!, (ImageReference?)tag))];
                }
            }
            else if (view.FindName(parsed!) is not null)
            {
                return [(view.Find(reference)!, parsed!.Digest is null ? parsed : null)];
            }
        }
        return [(view.Find(reference) ?? throw ClusterException.NoSuchImage(reference), null)];
    }
}
