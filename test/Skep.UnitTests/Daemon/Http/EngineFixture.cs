using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Daemon.Http;
using Skep.Daemon.Http.Events;
using Skep.Testing.Store;
using Skep.UnitTests.Daemon.Http.Fakes;

namespace Skep.UnitTests.Daemon.Http;

/// <summary>The whole server on a unix socket of its own, over a store in memory, and a client.</summary>
internal sealed class EngineFixture : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("skep-api-");
    private EngineServer? _server;

    private EngineFixture()
    {
        Logs = new FakeServiceLogs();
        Swarm = new FakeSwarmNode(Store, Logs);
        Http = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, cancellationToken) => new NetworkStream(await ConnectAsync(cancellationToken), ownsSocket: true) })
        {
            BaseAddress = new Uri("http://api.moby.localhost"),
        };
    }

    public FakeClusterStore Store { get; } = new();

    public FakeServiceLogs Logs { get; }

    public FakeSwarmNode Swarm { get; }

    public FakeNodeNetwork Network { get; } = new();

    public FakeRuntime Runtime { get; } = new();

    public EngineEvents Events { get; } = new();

    public HttpClient Http { get; }

    public string SocketPath => Path.Combine(_folder.FullName, "engine.sock");

    public static async Task<EngineFixture> StartAsync(Action<IEndpointRouteBuilder>? more = null)
    {
        var fixture = new EngineFixture();
        var services = new EngineServices
        {
            Swarm = fixture.Swarm,
            Network = fixture.Network,
            Containers = fixture.Runtime,
            Images = new EmptyImages(),
            Events = fixture.Events,
            Clock = TimeProvider.System,
            Logging = NullLoggerFactory.Instance,
            Identity = new EngineIdentity { Id = "test", Hostname = "node1" },
        };
        fixture._server = await EngineServer.StartAsync(services, fixture.SocketPath, "docker", more ?? (_ => { }), default);
        return fixture;
    }

    /// <summary>A server whose machine is the manager of a swarm with one node.</summary>
    public static async Task<EngineFixture> StartManagerAsync()
    {
        var fixture = await StartAsync();
        await fixture.Swarm.BecomeManagerAsync();
        return fixture;
    }

    public async Task<(int Status, JsonElement Body)> SendAsync(string method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (json is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        var (status, body) = await SendAsync("GET", path);
        Assert.True(status == 200, $"GET {path} answered {status}: {body}");
        return body;
    }

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken = default)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellationToken);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }
}
