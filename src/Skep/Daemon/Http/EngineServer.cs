using Microsoft.Extensions.DependencyInjection.Extensions;
using Skep.Daemon.Http.Infrastructure;

namespace Skep.Daemon.Http;

/// <summary>
/// The Engine API on a unix socket. Endpoints stand in one folder per noun, each with a <c>Map…</c> method that is called here.
/// The host has no configuration files, no hosting logs and no reflection-based JSON: it costs a few megabytes.
/// </summary>
public sealed class EngineServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private EngineServer(WebApplication app) => _app = app;

    /// <summary>Listens on <paramref name="socketPath"/> and returns when requests are answered.</summary>
    /// <param name="socketGroup">The group that may use the socket besides root, where it exists.</param>
    public static Task<EngineServer> StartAsync(
        EngineServices services, string socketPath, string socketGroup, CancellationToken cancellationToken) =>
        StartAsync(services, socketPath, socketGroup, static _ => { }, cancellationToken);

    internal static async Task<EngineServer> StartAsync(
        EngineServices services, string socketPath, string socketGroup, Action<IEndpointRouteBuilder> more, CancellationToken cancellationToken)
    {
        UnixSocketFile.Clear(socketPath);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Images are as large as they are; what reads JSON has its own limit.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.ListenUnixSocket(socketPath, listen => listen.Use(next => HijackableConnection.Wrap(next, services.Clock)));
        });
        builder.Services.AddRoutingCore();
        builder.Services.Replace(ServiceDescriptor.Singleton(services.Logging));
        var app = builder.Build();
        Configure(app, services, more);
        await app.StartAsync(cancellationToken);
        UnixSocketFile.Protect(socketPath, socketGroup);
        return new EngineServer(app);
    }

    /// <summary>Ends streams and requests that are under way, then the listener.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private static void Configure(WebApplication app, EngineServices services, Action<IEndpointRouteBuilder> more)
    {
        // The version prefix goes before routing sees the path, so each route stands once, without it.
        app.Use(new ErrorAnswers(services.Logging).InvokeAsync);
        app.Use(new EngineHeaders(services.Identity).InvokeAsync);
        app.UseRouting();
        IEndpointRouteBuilder routes = app;
        routes.MapEngine(services);
        more(routes);
        app.UseEndpoints(_ => { });
    }
}
