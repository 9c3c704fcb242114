using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Skep.UnitTests.Agent.Images;

/// <summary>A registry in this process, on loopback without TLS, with a token server of its own. It can end blobs early.</summary>
internal sealed class TestRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _tokens;

    private TestRegistry(WebApplication app) => _app = app;

    public string Host { get; private set; } = "";

    public Dictionary<string, (string MediaType, byte[] Bytes)> Manifests { get; } = [];

    public Dictionary<string, byte[]> Blobs { get; } = [];

    public List<string> Requests { get; } = [];

    /// <summary>Bytes of a blob after which the answer ends; null for never.</summary>
    public int? CutAfter { get; set; }

    public bool IgnoreRanges { get; set; }

    /// <summary>none, basic (u:p) or token (u:p; each token serves three requests).</summary>
    public string Protection { get; set; } = "none";

    public static async Task<TestRegistry> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var registry = new TestRegistry(app);
        app.Run(registry.AnswerAsync);
        await app.StartAsync();
        registry.Host = new Uri(app.Urls.First()).Authority;
        return registry;
    }

    public string AddBlob(byte[] bytes)
    {
        var digest = Digest(bytes);
        Blobs[digest] = bytes;
        return digest;
    }

    public string AddManifest(string tag, string mediaType, string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        Manifests[tag] = Manifests[Digest(bytes)] = (mediaType, bytes);
        return Digest(bytes);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static string Digest(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        lock (Requests)
        {
            Requests.Add($"{context.Request.Method} {path} {context.Request.Headers.Range}".TrimEnd());
        }
        if (path == "/token")
        {
            await TokenAsync(context);
        }
        else if (!Admitted(context))
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = Protection == "basic"
                ? "Basic realm=\"r\""
                : $"Bearer realm=\"http://{Host}/token\",service=\"test\",scope=\"repository:app:pull\"";
            await context.Response.WriteAsync("""{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}""");
        }
        else if (path.StartsWith("/v2/app/manifests/", StringComparison.Ordinal) && Manifests.TryGetValue(path["/v2/app/manifests/".Length..], out var manifest))
        {
            context.Response.ContentType = manifest.MediaType;
            context.Response.ContentLength = manifest.Bytes.Length;
            context.Response.Headers["Docker-Content-Digest"] = Digest(manifest.Bytes);
            if (context.Request.Method == "GET")
            {
                await context.Response.Body.WriteAsync(manifest.Bytes);
            }
        }
        else if (path.StartsWith("/v2/app/blobs/", StringComparison.Ordinal) && Blobs.TryGetValue(path["/v2/app/blobs/".Length..], out var blob))
        {
            await BlobAsync(context, blob);
        }
        else if (path != "/v2/")
        {
            context.Response.StatusCode = 404;
            await context.Response.WriteAsync("""{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}""");
        }
    }

    private async Task BlobAsync(HttpContext context, byte[] blob)
    {
        var from = 0;
        if (!IgnoreRanges && context.Request.Headers.Range.ToString() is { Length: > 0 } range)
        {
            from = int.Parse(range["bytes=".Length..].TrimEnd('-'));
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{blob.Length - 1}/{blob.Length}";
        }
        var end = CutAfter is { } cut ? Math.Min(blob.Length, from + cut) : blob.Length;
        // Without a length the answer just ends early, as a proxy's does; a reset would leave it open how much has arrived.
        context.Response.ContentLength = end < blob.Length ? null : blob.Length - from;
        await context.Response.Body.WriteAsync(blob.AsMemory(from, end - from));
    }

    private async Task TokenAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization != "Basic " + Convert.ToBase64String("u:p"u8))
        {
            context.Response.StatusCode = 401;
            return;
        }
        await context.Response.WriteAsync($$"""{"token":"t{{Interlocked.Add(ref _tokens, 3)}}"}""");
    }

    private bool Admitted(HttpContext context) => Protection switch
    {
        "basic" => context.Request.Headers.Authorization == "Basic " + Convert.ToBase64String("u:p"u8),
        "token" => context.Request.Headers.Authorization.ToString().StartsWith("Bearer t", StringComparison.Ordinal) && Interlocked.Decrement(ref _tokens) >= 0,
        _ => true,
    };
}
