using System.Collections.Immutable;
using Skep.Model.Rules;

namespace Skep.Agent.Images.Catalog;

/// <summary>
/// The images of this node at one moment. Names with a tag are tags, names with a digest say where an image came from, and a name
/// that is an id keeps an image that has lost its last tag.
/// </summary>
internal sealed class CatalogView
{
    private readonly ImmutableDictionary<string, StoredName> _names;
    private readonly ImmutableDictionary<string, StoredImage> _images;
    private readonly Dictionary<string, LocalImage> _byId;
    private readonly Dictionary<string, string> _idByManifest;

    public CatalogView(ImmutableDictionary<string, StoredName> names, ImmutableDictionary<string, StoredImage> images)
    {
        _names = names;
        _images = images.RemoveRange(images.Keys.Except(names.Values.Select(name => name.ManifestDigest)).ToList());
        _idByManifest = _images.ToDictionary(pair => pair.Key, pair => pair.Value.Id, StringComparer.Ordinal);
        _byId = _images.Values.GroupBy(image => image.Id, StringComparer.Ordinal).ToDictionary(group => group.Key, Local, StringComparer.Ordinal);
        All = [.. _byId.Values.OrderByDescending(Created)];
    }

    public static CatalogView Empty { get; } = new(ImmutableDictionary<string, StoredName>.Empty, ImmutableDictionary<string, StoredImage>.Empty);

    /// <summary>Newest first.</summary>
    public IReadOnlyList<LocalImage> All { get; }

    public IEnumerable<StoredImage> Images => _images.Values;

    public CatalogView With(StoredImage image, StoredName name) => new(_names.SetItem(name.Name, name), _images.SetItem(image.Manifest.Digest, image));

    public CatalogView Without(string name) => new(_names.Remove(name), _images);

    public StoredName? Name(string name) => _names.GetValueOrDefault(name);

    /// <summary>Every name of an image, whichever of its manifests it points at.</summary>
    public IReadOnlyList<StoredName> NamesOf(string id) =>
        [.. _names.Values.Where(name => _idByManifest.GetValueOrDefault(name.ManifestDigest) == id).OrderBy(name => name.Name, StringComparer.Ordinal)];

    public StoredImage Stored(LocalImage image) => _images[image.ManifestDigest];

    public IEnumerable<StoredName> NamesIn(string repository) =>
        _names.Values.Where(name => name.Name.StartsWith(repository + ":", StringComparison.Ordinal)).OrderBy(name => name.Name, StringComparer.Ordinal);

    /// <summary>Finds by name, by digest, by id, or by the beginning of an id that no other image shares.</summary>
    public LocalImage? Find(string reference)
    {
        if (_byId.TryGetValue(reference, out var whole))
        {
            return whole;
        }
        if (ImageReference.TryParse(reference, out var parsed) && FindNamed(parsed!) is { } named)
        {
            return named;
        }
        return ImageReference.LooksLikeId(reference) ? FindPrefix(reference) : null;
    }

    /// <summary>The record that a reference names; null when it is not here.</summary>
    public StoredName? FindName(ImageReference reference)
    {
        if (reference.Digest is null)
        {
            return Name(reference.Canonical);
        }
        // A digest decides alone, whatever the tag says; the manifest's own digest is as good as the index it came from.
        return Name($"{reference.Repository}@{reference.Digest}")
            ?? NamesIn(reference.Repository).FirstOrDefault(name => name.ManifestDigest == reference.Digest);
    }

    private LocalImage? FindNamed(ImageReference reference) =>
        FindName(reference) is { } name && _idByManifest.TryGetValue(name.ManifestDigest, out var id) ? _byId[id] : null;

    private LocalImage? FindPrefix(string prefix)
    {
        var wanted = prefix.StartsWith("sha256:", StringComparison.Ordinal) ? prefix : "sha256:" + prefix;
        LocalImage? found = null;
        foreach (var image in All)
        {
            if (image.Id.StartsWith(wanted, StringComparison.Ordinal))
            {
                if (found is not null)
                {
                    return null;
                }
                found = image;
            }
        }
        return found;
    }

    private LocalImage Local(IGrouping<string, StoredImage> manifests)
    {
        var image = manifests.OrderBy(stored => stored.Manifest.Digest, StringComparer.Ordinal).First();
        var named = NamesOf(image.Id).Where(name => name.Reference is not null).ToList();
        var tags = named.Where(name => name.Reference!.Digest is null).ToList();
        return new LocalImage(image.Id, image.Manifest.Digest, image.Chain.Count == 0 ? "" : image.Chain[^1], image.Configuration)
        {
            Tags = [.. tags.Select(name => name.Reference!.Familiar)],
            RepoDigests = [.. named.Except(tags).Select(name => name.Reference!.Familiar)],
            Size = image.Size,
            LastTaggedAt = tags.Count == 0 ? null : tags.Max(name => name.UpdatedAt),
        };
    }

    private static DateTimeOffset Created(LocalImage image) => ImageTimes.Created(image.Configuration);
}
