using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Images;
using Skep.Agent.Images.Manifests;
using Skep.Agent.Images.Registry;
using Skep.Model.Errors;
using Skep.Testing.Containerd;
using Skep.Testing.Images;

namespace Skep.KernelTests.Agent.Images;

/// <summary>Pulls from Debian's docker-registry into a real containerd.</summary>
public sealed class RegistryPullTests : IAsyncLifetime
{
    // u:p
    private const string Htpasswd = "u:$2y$05$nZmdKiTFKo7kAgknAqxN.uEMkVZQ4xolQIQEu.xf3zhcClSRSU9Qa";
    private static readonly RegistryCredentials s_right = new("u", "p", null, null, null);
    private ContainerdServer _containerd = null!;
    private ContainerdImageStore _images = null!;
    private DockerRegistry _registry = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(DockerRegistry.Installed, "docker-registry is not installed");
        _containerd = await ContainerdServer.StartNewAsync(TestContext.Current.CancellationToken);
        _registry = await DockerRegistry.StartAsync(Htpasswd, TestContext.Current.CancellationToken);
        _images = new ContainerdImageStore(_containerd.Channel, new RegistryOptions(), TimeProvider.System, NullLogger<ContainerdImageStore>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _images?.Dispose();
        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }
        if (_containerd is not null)
        {
            await _containerd.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_image_of_two_layers_is_pulled_and_known_by_tag_and_digest()
    {
        var (manifest, config) = await PushAsync();
        var lines = new Lines();
        var image = await _images.PullAsync($"{_registry.Host}/app:v1", s_right, lines, default);
        Assert.Equal(config, image.Id);
        Assert.Equal([$"{_registry.Host}/app:v1"], image.Tags);
        Assert.Equal([$"{_registry.Host}/app@{manifest}"], image.RepoDigests);
        Assert.Contains("Pulling from app", lines.All);
        Assert.Equal(2, lines.All.Count(line => line == "Pull complete"));
        Assert.Equal(["Digest: " + manifest, $"Status: Downloaded newer image for {_registry.Host}/app:v1"], lines.All.TakeLast(2));
        Assert.Equal(image.Id, (await _images.FindAsync($"{_registry.Host}/app:other@{manifest}", default))?.Id);

        var again = new Lines();
        await _images.PullAsync($"{_registry.Host}/app:v1", s_right, again, default);
        Assert.Equal($"Status: Image is up to date for {_registry.Host}/app:v1", again.All[^1]);

        using var archive = new MemoryStream();
        await _images.SaveAsync([image.Id], archive, default);
        Assert.True(archive.Length > 0);
        var removed = await _images.RemoveAsync($"{_registry.Host}/app:v1", false, new HashSet<string>(), default);
        Assert.Equal(2, removed.Count(removal => removal.Untagged is not null));
        Assert.Equal(3, removed.Count(removal => removal.Deleted is not null));
        Assert.Empty(await _images.ListAsync(default));
    }

    [Fact]
    public async Task A_registry_is_asked_without_fetching()
    {
        var (manifest, _) = await PushAsync();
        var info = await _images.InspectRemoteAsync($"{_registry.Host}/app:v1", s_right, default);
        Assert.Equal(manifest, info.Descriptor.Digest);
        Assert.Equal([new ImagePlatform("amd64", "linux")], info.Platforms);
    }

    [Fact]
    public async Task Refusals_have_dockers_words()
    {
        await PushAsync();
        async Task<ClusterException> RefusedAsync(string name, RegistryCredentials? credentials) =>
            await Assert.ThrowsAsync<ClusterException>(() => _images.PullAsync(name, credentials, null, default));

        var unknown = await RefusedAsync($"{_registry.Host}/app:none", s_right);
        Assert.Equal(ErrorKind.NotFound, unknown.Kind);
        Assert.StartsWith($"manifest for {_registry.Host}/app:none not found: manifest unknown", unknown.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Unauthorized, (await RefusedAsync($"{_registry.Host}/app:v1", null)).Kind);
        Assert.Equal(ErrorKind.Unauthorized, (await RefusedAsync($"{_registry.Host}/app:v1", s_right with { Password = "no" })).Kind);
        Assert.Equal(ErrorKind.Unavailable, (await RefusedAsync("127.0.0.1:1/app", null)).Kind);
        Assert.Empty(await _images.ListAsync(default));
    }

    private async Task<(string Manifest, string Config)> PushAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://{_registry.Host}/v2/app/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("u:p"u8));
        var (plainOne, one) = Layer("a", new string('a', 100_000));
        var (plainTwo, two) = Layer("b", "second");
        var config = Encoding.UTF8.GetBytes(
            $$"""{"architecture":"amd64","os":"linux","config":{"Cmd":["/a"]},"rootfs":{"type":"layers","diff_ids":["{{Digest(plainOne)}}","{{Digest(plainTwo)}}"] } }""");
        foreach (var blob in new[] { one, two, config })
        {
            using var begun = await http.PostAsync("blobs/uploads/", null);
            var place = begun.Headers.Location!.ToString();
            using var put = await http.PutAsync(place + (place.Contains('?') ? "&" : "?") + "digest=" + Digest(blob), new ByteArrayContent(blob));
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        }
        var manifest = Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.DockerManifest}}","config":{{Pointer(MediaTypes.DockerConfig, config)}},"layers":[{{Pointer(MediaTypes.DockerLayerGzip, one)}},{{Pointer(MediaTypes.DockerLayerGzip, two)}}]}""");
        var body = new ByteArrayContent(manifest);
        body.Headers.ContentType = new MediaTypeHeaderValue(MediaTypes.DockerManifest);
        using var pushed = await http.PutAsync("manifests/v1", body);
        Assert.Equal(HttpStatusCode.Created, pushed.StatusCode);
        return (Digest(manifest), Digest(config));
    }

    private static (byte[] Plain, byte[] Packed) Layer(string name, string content)
    {
        var plain = TarFiles.Of((name, content));
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(plain);
        }
        return (plain, packed.ToArray());
    }

    private static string Digest(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static string Pointer(string type, byte[] bytes) =>
        $$"""{"mediaType":"{{type}}","digest":"{{Digest(bytes)}}","size":{{bytes.Length}} }""";

    private sealed class Lines : IProgress<ImageProgress>
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> All
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        public void Report(ImageProgress value)
        {
            lock (_lines)
            {
                _lines.Add(value.Status);
            }
        }
    }
}
