using Skep.Agent.Images.Catalog;
using Skep.Agent.Images.Manifests;
using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.Agent.Images;

/// <summary>
/// What a removal takes away, by Docker's rules: a name goes alone while others are left; the last one takes the image with it; an
/// id takes all names of one repository, and those of several only by force. Pure: the plan is carried out by the store.
/// </summary>
internal static class ImageRemover
{
    public static RemovalPlan Plan(CatalogView view, string reference, bool force, IReadOnlyCollection<ImageUse> uses)
    {
        var image = view.Find(reference) ?? throw ClusterException.NoSuchImage(reference);
        var names = view.NamesOf(image.Id);
        var user = uses.Where(use => use.ImageId == image.Id).OrderByDescending(use => use.Running).FirstOrDefault();
        var byId = !ImageReference.TryParse(reference, out var parsed) || view.FindName(parsed!) is null;
        return byId
            ? ById(view, image, names, user, force)
            : ByName(view, image, names, parsed!, user, force);
    }

    private static RemovalPlan ByName(
        CatalogView view, LocalImage image, IReadOnlyList<StoredName> names, ImageReference reference, ImageUse? user, bool force)
    {
        var gone = new List<StoredName> { view.FindName(reference)! };
        var rest = names.Except(gone).ToList();
        // What is left may only say where the image came from; without a tag in that repository it says nothing to anybody.
        if (reference.Digest is null && !rest.Exists(name => TagIn(name, reference.Repository)))
        {
            gone.AddRange(rest.Where(name => name.Name.StartsWith(reference.Repository + "@", StringComparison.Ordinal)));
            rest = [.. names.Except(gone)];
        }
        if (rest.Count > 0)
        {
            return new RemovalPlan([.. gone.Select(name => name.Name)], Untagged(gone));
        }
        if (user is not null && !force)
        {
            throw new ClusterException(
                ErrorKind.Conflict,
                $"conflict: unable to remove repository reference \"{reference.Familiar}\" (must force) - container {Digests.Short(user.ContainerId)} is using its referenced image {Digests.Short(image.Id)}");
        }
        if (user is not null)
        {
            // A container still needs it: the name goes, the image stays under its id.
            return new RemovalPlan([.. gone.Select(name => name.Name)], Untagged(gone), KeepUnderId: true);
        }
        return new RemovalPlan([.. gone.Select(name => name.Name)], [.. Untagged(gone), .. Deleted(view, image)], image.Id);
    }

    private static RemovalPlan ById(CatalogView view, LocalImage image, IReadOnlyList<StoredName> names, ImageUse? user, bool force)
    {
        var id = Digests.Short(image.Id);
        if (user is { Running: true })
        {
            throw new ClusterException(
                ErrorKind.Conflict,
                $"conflict: unable to delete {id} (cannot be forced) - image is being used by running container {Digests.Short(user.ContainerId)}");
        }
        var repositories = names.Select(name => name.Reference?.Repository).OfType<string>().Distinct().Count();
        if (repositories > 1 && !force)
        {
            throw new ClusterException(
                ErrorKind.Conflict, $"conflict: unable to delete {id} (must be forced) - image is referenced in multiple repositories");
        }
        if (user is not null && !force)
        {
            throw new ClusterException(
                ErrorKind.Conflict,
                $"conflict: unable to delete {id} (must be forced) - image is being used by stopped container {Digests.Short(user.ContainerId)}");
        }
        return new RemovalPlan([.. names.Select(name => name.Name)], [.. Untagged(names), .. Deleted(view, image)], image.Id);
    }

    private static bool TagIn(StoredName name, string repository) => name.Name.StartsWith(repository + ":", StringComparison.Ordinal);

    private static List<ImageRemoval> Untagged(IEnumerable<StoredName> names) =>
        [.. names.Select(name => name.Reference?.Familiar).OfType<string>().Select(name => new ImageRemoval(name, null))];

    // The image itself, then the layers that no other image stands on, topmost first.
    private static IEnumerable<ImageRemoval> Deleted(CatalogView view, LocalImage image)
    {
        var needed = view.Images.Where(other => other.Id != image.Id).SelectMany(other => other.Chain).ToHashSet(StringComparer.Ordinal);
        return view.Stored(image).Chain.Reverse().Where(layer => !needed.Contains(layer)).Prepend(image.Id).Select(id => new ImageRemoval(null, id));
    }
}

/// <param name="Names">Records to take away.</param>
/// <param name="DeletedId">The image that goes with them; null when only names go.</param>
internal sealed record RemovalPlan(IReadOnlyList<string> Names, IReadOnlyList<ImageRemoval> Removals, string? DeletedId = null, bool KeepUnderId = false);
