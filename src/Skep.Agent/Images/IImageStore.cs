using System.Buffers.Text;
using System.Text.Json;
using Skep.Model.Errors;

namespace Skep.Agent.Images;

/// <summary>
/// The images on this node. References are normalised as Docker does: <c>nginx</c> is
/// docker.io/library/nginx:latest; ids (sha256:… or a unique prefix) are accepted too. Unknown is NotFound <c>No such image: x</c>.
/// </summary>
public interface IImageStore
{
    Task<IReadOnlyList<LocalImage>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Null when it is not here.</summary>
    Task<LocalImage?> FindAsync(string reference, CancellationToken cancellationToken);

    /// <summary>
    /// Pulls and unpacks. Parts that are here already are not fetched again; a broken transfer is resumed. Only the image for
    /// this machine's platform is taken.
    /// </summary>
    Task<LocalImage> PullAsync(string reference, RegistryCredentials? credentials, IProgress<ImageProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Reads a <c>docker save</c> or OCI layout archive (gzip or plain) and returns the images' names.</summary>
    Task<IReadOnlyList<string>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Makes an image of one layer from a root file system archive. Changes are Dockerfile lines: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR.</summary>
    Task<LocalImage> ImportAsync(Stream rootFileSystem, string? reference, IReadOnlyList<string> changes, string? message, CancellationToken cancellationToken);

    /// <summary>Writes a <c>docker save</c> archive of the named images.</summary>
    Task SaveAsync(IReadOnlyList<string> references, Stream destination, CancellationToken cancellationToken);

    Task TagAsync(string source, string target, CancellationToken cancellationToken);

    /// <summary>Removes a name, and the image with its last name. <paramref name="inUse"/> are image ids of containers.</summary>
    Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, IReadOnlySet<string> inUse, CancellationToken cancellationToken);

    /// <summary>As above, with the containers named in the refusal. Conflict in Docker's words when one of them stands in the way.</summary>
    Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, IReadOnlyCollection<ImageUse> uses, CancellationToken cancellationToken) =>
        RemoveAsync(reference, force, uses.Select(use => use.ImageId).ToHashSet(), cancellationToken);

    /// <summary>Asks the registry what stands under a name; nothing is fetched but the manifest and, for one platform, its configuration.</summary>
    Task<DistributionInfo> InspectRemoteAsync(string reference, RegistryCredentials? credentials, CancellationToken cancellationToken) =>
        throw new ClusterException(ErrorKind.NotImplemented, "This image store asks no registries.");
}

/// <summary>A container that stands on an image.</summary>
public sealed record ImageUse(string ImageId, string ContainerId, bool Running);

/// <summary>An image that is unpacked on this node.</summary>
/// <param name="Id">sha256: and the digest of the configuration.</param>
/// <param name="ManifestDigest">Digest of this platform's manifest.</param>
/// <param name="ChainId">The key of the committed snapshot of its topmost layer; empty for an image without layers.</param>
/// <param name="Configuration">The image's configuration (OCI image-spec 1.0), as it was made.</param>
public sealed record LocalImage(string Id, string ManifestDigest, string ChainId, JsonElement Configuration)
{
    /// <summary>As people write them: nginx:latest.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>nginx@sha256:…, for images that came from a registry.</summary>
    public IReadOnlyList<string> RepoDigests { get; init; } = [];

    /// <summary>Bytes, unpacked layers together.</summary>
    public long Size { get; init; }

    public DateTimeOffset? LastTaggedAt { get; init; }
}

public sealed record RegistryCredentials(string? Username, string? Password, string? IdentityToken, string? RegistryToken, string? ServerAddress)
{
    /// <summary>Reads the value of an X-Registry-Auth header: base64url of a JSON object. Null for none, an empty or an unreadable one.</summary>
    public static RegistryCredentials? FromHeader(string? header)
    {
        if (string.IsNullOrEmpty(header))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(header.TrimEnd('=').Replace('+', '-').Replace('/', '_')));
            string? Text(string name) =>
                json.RootElement.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : null;
            var read = new RegistryCredentials(Text("username"), Text("password"), Text("identitytoken"), Text("registrytoken"), Text("serveraddress"));
            return read is { Username: null, IdentityToken: null, RegistryToken: null } ? null : read;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Secrets stay out of logs.</summary>
    public override string ToString() => $"credentials of {Username ?? "a token"} for {ServerAddress ?? "the default registry"}";
}

/// <summary>One line of a progress stream; Id is the short layer digest.</summary>
public sealed record ImageProgress(string Status, string? Id = null, long? Current = null, long? Total = null);

/// <summary>Exactly one of the two is set.</summary>
public sealed record ImageRemoval(string? Untagged, string? Deleted);
