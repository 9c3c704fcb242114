using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>The Engine API of one machine, over its socket: what forming a swarm and the demo need of it.</summary>
internal sealed class MachineApi : IDisposable
{
    private readonly HttpClient _client;
    private readonly string _name;

    public MachineApi(Machine machine)
    {
        _name = machine.Name;
        var path = machine.Socket;
        _client = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, token) => ConnectAsync(path, token) })
        {
            BaseAddress = new Uri("http://docker"),
            Timeout = TimeSpan.FromMinutes(2),
        };
    }

    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _client.GetAsync("/_ping", cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public Task<JsonNode?> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);

    public Task<JsonNode?> PostAsync(string path, JsonObject body, CancellationToken cancellationToken) => SendAsync(
        new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") },
        cancellationToken);

    public async Task PostAsync(string path, Stream tar, CancellationToken cancellationToken)
    {
        var content = new StreamContent(tar);
        content.Headers.ContentType = new("application/x-tar");
        await SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = content }, cancellationToken);
    }

    public void Dispose() => _client.Dispose();

    private async Task<JsonNode?> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            using var answer = await _client.SendAsync(request, cancellationToken);
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            if (!answer.IsSuccessStatusCode)
            {
                throw new ClusterException(
                    answer.StatusCode == System.Net.HttpStatusCode.NotFound ? ErrorKind.NotFound : ErrorKind.Internal,
                    $"{_name} refused {request.Method} {request.RequestUri!.OriginalString}: {MessageOf(text)}");
            }

            // Import answers with a stream of progress objects; only whole documents are of interest here.
            return answer.Content.Headers.ContentType?.MediaType == "application/json" && request.Content is not StreamContent && text.Length > 0
                ? JsonNode.Parse(text)
                : null;
        }
    }

    private static string MessageOf(string text)
    {
        try
        {
            return JsonNode.Parse(text)?["message"]?.GetValue<string>() ?? text;
        }
        catch (System.Text.Json.JsonException)
        {
            return text;
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
