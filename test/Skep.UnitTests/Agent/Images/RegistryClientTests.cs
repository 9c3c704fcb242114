using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Images;
using Skep.Agent.Images.Manifests;
using Skep.Agent.Images.Registry;
using Skep.Model.Errors;
using Skep.Model.Rules;
using Skep.Testing.Images;

namespace Skep.UnitTests.Agent.Images;

public sealed class RegistryClientTests : IAsyncLifetime
{
    private const string Manifest = """{"schemaVersion":2,"config":{"mediaType":"c","digest":"sha256:00","size":1},"layers":[]}""";
    private static readonly RegistryCredentials s_right = new("u", "p", null, null, null);
    private static readonly RegistryOptions s_options = new() { RetryDelay = TimeSpan.Zero };
    private readonly RegistryEndpoints _endpoints = new(s_options);
    private readonly MemoryBlobStore _blobs = new();
    private TestRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await TestRegistry.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _endpoints.Dispose();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task A_broken_transfer_goes_on_where_it_stopped()
    {
        var layer = AddLayer(1_000_000);
        _registry.CutAfter = 400_000;
        using var client = await OpenAsync(null);
        Assert.True(await FetchAsync(client, layer));
        Assert.Equal(_registry.Blobs[layer.Digest], _blobs.Blobs[layer.Digest]);
        var fetches = _registry.Requests.Where(request => request.Contains("/blobs/", StringComparison.Ordinal)).ToList();
        var path = "GET /v2/app/blobs/" + layer.Digest;
        Assert.Equal([path, path + " bytes=400000-", path + " bytes=800000-"], fetches);
        Assert.False(await FetchAsync(client, layer));
    }

    [Fact]
    public async Task A_registry_without_ranges_is_read_again_and_the_known_part_skipped()
    {
        var layer = AddLayer(600_000);
        await using (var begun = await _blobs.WriteAsync("fetch-" + layer.Digest, layer.Digest, layer.Size, default))
        {
            await begun!.WriteAsync(_registry.Blobs[layer.Digest].AsMemory(0, 100_001), default);
        }
        _registry.IgnoreRanges = true;
        using var client = await OpenAsync(null);
        Assert.True(await FetchAsync(client, layer));
        Assert.Equal(_registry.Blobs[layer.Digest], _blobs.Blobs[layer.Digest]);
    }

    [Fact]
    public async Task A_blob_that_is_not_what_its_digest_says_is_refused_and_forgotten()
    {
        var layer = AddLayer(1000);
        _registry.Blobs[layer.Digest] = new byte[1000];
        using var client = await OpenAsync(null);
        await Assert.ThrowsAsync<InvalidDataException>(() => FetchAsync(client, layer));
        Assert.Empty(_blobs.Blobs);
        Assert.Single(_registry.Requests, request => request.Contains("/blobs/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_blob_longer_than_its_manifest_says_is_refused()
    {
        var layer = AddLayer(1000);
        using var client = await OpenAsync(null);
        await Assert.ThrowsAsync<InvalidDataException>(() => FetchAsync(client, layer with { Size = 999 }));
    }

    [Theory]
    [InlineData("basic")]
    [InlineData("token")]
    public async Task Credentials_open_what_is_protected(string protection)
    {
        _registry.Protection = protection;
        var digest = _registry.AddManifest("v1", MediaTypes.OciManifest, Manifest);
        using var client = await OpenAsync(s_right);
        // More requests than a token serves: it is renewed on the way.
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(digest, (await client.ResolveAsync("v1", default)).Digest);
        }
    }

    [Theory]
    [InlineData("basic")]
    [InlineData("token")]
    public async Task Wrong_credentials_are_unauthorized_and_are_not_told(string protection)
    {
        _registry.Protection = protection;
        using var client = await OpenAsync(new RegistryCredentials("u", "wrong-secret", null, null, null));
        var refusal = (await Assert.ThrowsAsync<RegistryException>(() => client.ResolveAsync("v1", default))).For(Reference());
        Assert.Equal(ErrorKind.Unauthorized, refusal.Kind);
        Assert.DoesNotContain("wrong-secret", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_tag_is_told_as_docker_tells_it()
    {
        using var client = await OpenAsync(null);
        var refusal = (await Assert.ThrowsAsync<RegistryException>(() => client.ResolveAsync("v1", default))).For(Reference());
        Assert.Equal(ErrorKind.NotFound, refusal.Kind);
        Assert.Equal($"manifest for {_registry.Host}/app:v1 not found: manifest unknown: manifest unknown", refusal.Message);
    }

    [Fact]
    public async Task A_manifest_that_does_not_match_its_digest_is_refused()
    {
        var digest = _registry.AddManifest("v1", MediaTypes.OciManifest, Manifest);
        _registry.Manifests[digest] = (MediaTypes.OciManifest, [.. _registry.Manifests[digest].Bytes, (byte)' ']);
        using var client = await OpenAsync(null);
        await Assert.ThrowsAsync<InvalidDataException>(() => client.ManifestAsync(digest, default));
    }

    private ImageReference Reference() => ImageReference.Parse($"{_registry.Host}/app:v1");

    private Descriptor AddLayer(int size)
    {
        var bytes = new byte[size];
        new Random(7).NextBytes(bytes);
        return new Descriptor(MediaTypes.OciLayer, _registry.AddBlob(bytes), size);
    }

    private async Task<RegistryClient> OpenAsync(RegistryCredentials? credentials) =>
        new(await _endpoints.FindAsync(_registry.Host, default), Reference(), credentials, TimeProvider.System);

    private Task<bool> FetchAsync(RegistryClient client, Descriptor layer) =>
        new BlobFetcher(_blobs, s_options, TimeProvider.System, NullLogger.Instance).FetchAsync(client, layer, null, default);
}
