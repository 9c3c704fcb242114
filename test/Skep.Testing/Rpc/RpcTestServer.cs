using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Skep.Rpc;

namespace Skep.Testing.Rpc;

/// <summary>A real Kestrel on a unix socket of its own, with HTTP/2 in clear text and the methods that a test maps.</summary>
public sealed class RpcTestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RpcTestServer(WebApplication app, string socketPath)
    {
        _app = app;
        SocketPath = socketPath;
        Channel = RpcChannel.OverUnixSocket(socketPath);
    }

    public string SocketPath { get; }

    public RpcChannel Channel { get; }

    public static async Task<RpcTestServer> StartAsync(
        Action<IEndpointRouteBuilder> map,
        Func<Exception, RpcException?>? errors = null)
    {
        var path = Path.Combine(Path.GetTempPath(), $"skep-rpc-{Guid.NewGuid():N}.sock");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http2));
        if (errors is not null)
        {
            builder.Services.AddRpcErrors(errors);
        }

        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new RpcTestServer(app, path);
    }

    /// <summary>Goes away at once; calls under way are dropped.</summary>
    public async Task StopAsync()
    {
        using var atOnce = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(atOnce.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await StopAsync();
        await _app.DisposeAsync();
        File.Delete(SocketPath);
    }
}
