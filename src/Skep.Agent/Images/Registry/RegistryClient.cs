using System.Net;
using System.Net.Http.Headers;
using Skep.Agent.Images.Manifests;
using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.Agent.Images.Registry;

/// <summary>One repository of one registry, spoken to with one person's credentials (OCI distribution-spec 1.0, Docker's HTTP API v2).</summary>
internal sealed class RegistryClient : IDisposable
{
    private const int LongestManifest = 4 * 1024 * 1024;
    private const int MostRedirects = 5;
    private const int MostRenewals = 2;
    private static readonly TimeSpan s_headerTimeout = TimeSpan.FromSeconds(30);

    private readonly RegistryEndpoint _endpoint;
    private readonly ImageReference _reference;
    private readonly RegistryAuthorizer _authorizer;
    private readonly TimeProvider _clock;

    public RegistryClient(RegistryEndpoint endpoint, ImageReference reference, RegistryCredentials? credentials, TimeProvider clock)
    {
        _endpoint = endpoint;
        _reference = reference;
        _authorizer = new RegistryAuthorizer(endpoint, reference.Path, credentials);
        _clock = clock;
    }

    /// <summary>What a tag points at now, or what a digest is; the content is not fetched.</summary>
    public async Task<Descriptor> ResolveAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Head, "manifests/" + tagOrDigest, ManifestHeaders, cancellationToken);
        var digest = response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.First() : null;
        if (response.IsSuccessStatusCode && digest is not null && ImageReference.IsDigest(digest)
            && response.Content.Headers is { ContentType.MediaType: { } mediaType, ContentLength: { } size })
        {
            return new Descriptor(mediaType, digest, size);
        }
        // Some registries answer HEAD without a digest, and none gives the error's reason there.
        return (await ManifestAsync(tagOrDigest, cancellationToken)).Descriptor;
    }

    public async Task<FetchedManifest> ManifestAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Get, "manifests/" + tagOrDigest, ManifestHeaders, cancellationToken);
        await RefuseAsync(response, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var bytes = await BoundedBody.ReadAsync(body, LongestManifest, cancellationToken);
        var digest = Digests.Of(bytes.Span);
        if (ImageReference.IsDigest(tagOrDigest) && tagOrDigest != digest)
        {
            throw new InvalidDataException($"manifest verification failed for digest {tagOrDigest}");
        }
        var manifest = ImageManifest.Read(bytes);
        var mediaType = response.Content.Headers.ContentType?.MediaType ?? manifest.MediaType ?? "";
        if (!MediaTypes.IsIndex(mediaType) && !MediaTypes.IsManifest(mediaType))
        {
            mediaType = manifest.MediaType ?? (manifest.IsIndex ? MediaTypes.OciIndex : MediaTypes.OciManifest);
        }
        return new FetchedManifest(new Descriptor(mediaType, digest, bytes.Length), manifest, bytes);
    }

    /// <summary>Opens a blob from <paramref name="offset"/> on. The registry may begin earlier: <see cref="BlobDownload.Offset"/> says where.</summary>
    public async Task<BlobDownload> BlobAsync(string digest, long offset, CancellationToken cancellationToken)
    {
        var response = await SendAsync(
            HttpMethod.Get,
            "blobs/" + digest,
            headers => headers.Range = offset > 0 ? new RangeHeaderValue(offset, null) : null,
            cancellationToken);
        try
        {
            await RefuseAsync(response, cancellationToken);
            var begins = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? offset : 0;
            return new BlobDownload(response, await response.Content.ReadAsStreamAsync(cancellationToken), begins);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose() => _authorizer.Dispose();

    private static void ManifestHeaders(HttpRequestHeaders headers)
    {
        foreach (var mediaType in MediaTypes.Accepted)
        {
            headers.Accept.Add(new MediaTypeWithQualityHeaderValue(mediaType));
        }
    }

    private async Task RefuseAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw await RegistryErrors.ReadAsync(response, _authorizer.HasCredentials, cancellationToken);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, Action<HttpRequestHeaders> headers, CancellationToken cancellationToken)
    {
        var target = new Uri(_endpoint.Base, $"{_reference.Path}/{path}");
        for (var renewals = 0; ; renewals++)
        {
            var used = _authorizer.Header;
            var response = await FollowAsync(method, target, headers, used, cancellationToken);
            if (response.StatusCode != HttpStatusCode.Unauthorized || renewals == MostRenewals)
            {
                return response;
            }
            using (response)
            {
                await _authorizer.RenewAsync(response, used, cancellationToken);
            }
        }
    }

    private async Task<HttpResponseMessage> FollowAsync(
        HttpMethod method, Uri target, Action<HttpRequestHeaders> headers, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        var next = target;
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(method, next);
            headers(request.Headers);
            request.Headers.Authorization = SameOrigin(next, target) ? authorization : null;
            var response = await HeadersOfAsync(request, cancellationToken);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
            {
                return response;
            }
            response.Dispose();
            next = new Uri(next, location);
            if (redirects == MostRedirects || next.Scheme is not ("http" or "https") || (next.Scheme == "http" && !_endpoint.Insecure))
            {
                throw new RegistryException(HttpStatusCode.BadGateway, "", $"the registry redirects where it must not: {next.GetLeftPart(UriPartial.Path)}", false);
            }
        }
    }

    private async Task<HttpResponseMessage> HeadersOfAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_headerTimeout, _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        var place = $"{Capitalised(request.Method)} \"{request.RequestUri!.GetLeftPart(UriPartial.Path)}\"";
        try
        {
            return await _endpoint.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
        }
        catch (HttpRequestException e)
        {
            throw new ClusterException(ErrorKind.Unavailable, $"{place}: {e.InnerException?.Message ?? e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ClusterException(ErrorKind.Unavailable, $"{place}: no answer", e);
        }
    }

    private static string Capitalised(HttpMethod method) => method == HttpMethod.Head ? "Head" : "Get";

    private static bool SameOrigin(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Host == other.Host && one.Port == other.Port;
}

internal sealed record FetchedManifest(Descriptor Descriptor, ImageManifest Manifest, ReadOnlyMemory<byte> Bytes);

/// <param name="Offset">Where in the blob the stream begins.</param>
internal sealed record BlobDownload(HttpResponseMessage Response, Stream Body, long Offset) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Body.DisposeAsync();
        Response.Dispose();
    }
}
