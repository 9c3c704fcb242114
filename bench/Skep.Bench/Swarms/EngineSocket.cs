using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Skep.Bench.Swarms;

/// <summary>An Engine API over its unix socket, with connections kept alive. Both swarms are asked with the same client.</summary>
public sealed class EngineSocket : IDisposable
{
    private readonly HttpClient _client;

    public EngineSocket(string path, int connections = 16)
    {
        Path = path;
        _client = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, token) => ConnectAsync(path, token), MaxConnectionsPerServer = connections })
        {
            BaseAddress = new Uri("http://docker"),
            Timeout = TimeSpan.FromMinutes(2),
        };
    }

    public string Path { get; }

    public async Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) =>
        JsonNode.Parse(await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken))!;

    /// <summary>The answer's document; null for an empty one.</summary>
    public async Task<JsonNode?> PostAsync(string path, JsonObject body, CancellationToken cancellationToken)
    {
        var text = await PostTextAsync(path, body.ToJsonString(), cancellationToken);
        return text.Length > 0 ? JsonNode.Parse(text) : null;
    }

    public Task<string> PostTextAsync(string path, string body, CancellationToken cancellationToken) => SendAsync(
        new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") }, cancellationToken);

    public Task<string> PostTarAsync(string path, byte[] tar, CancellationToken cancellationToken)
    {
        var content = new ByteArrayContent(tar);
        content.Headers.ContentType = new("application/x-tar");
        return SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = content }, cancellationToken);
    }

    public Task DeleteAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), cancellationToken);

    public void Dispose() => _client.Dispose();

    private async Task<string> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            using var answer = await _client.SendAsync(request, cancellationToken);
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            return answer.IsSuccessStatusCode
                ? text
                : throw new BenchException($"{request.Method} {request.RequestUri!.OriginalString}: {(int)answer.StatusCode} {text.Trim()}");
        }
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
