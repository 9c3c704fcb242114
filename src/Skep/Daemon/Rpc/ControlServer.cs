using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Skep.Agent.Session;
using Skep.Daemon.Swarm;
using Skep.Manager.Certificates;
using Skep.Manager.Dispatch;
using Skep.Rpc;

namespace Skep.Daemon.Rpc;

/// <summary>The control port of a manager: TLS from the first byte, and a node's certificate for all but enrolment.</summary>
public sealed class ControlServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ControlServer(WebApplication app) => _app = app;

    /// <summary>Listens on <paramref name="endpoint"/> and returns when calls are answered.</summary>
    public static async Task<ControlServer> StartAsync(
        IPEndPoint endpoint,
        NodeIdentity identity,
        ControlCalls calls,
        ILoggerFactory logging,
        CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(endpoint, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.UseHttps(https =>
                {
                    https.ServerCertificateSelector = (_, _) => identity.ServerCertificate;
                    https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                    https.ClientCertificateValidation = (certificate, _, _) => identity.IsOfThisSwarm(certificate);
                    https.CheckCertificateRevocation = false;
                });
            });
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddRpcErrors(RpcErrors.FromAny);
        builder.Services.Replace(ServiceDescriptor.Singleton(logging));
        var app = builder.Build();
        app.UseRouting();
        calls.Map(app);
        app.UseEndpoints(_ => { });
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e)
        {
            await app.DisposeAsync();
            throw new Model.Errors.ClusterException(Model.Errors.ErrorKind.Unavailable, $"the control port {endpoint} cannot be opened: {e.Message}", e);
        }

        return new ControlServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}

/// <summary>What the control port offers.</summary>
public sealed record ControlCalls(MembershipService Membership, Dispatcher Dispatcher, LogBroker Logs)
{
    internal void Map(IEndpointRouteBuilder routes)
    {
        routes.MapUnary(NodeMethods.GetRoot, (_, _) => Task.FromResult(Membership.GetRoot()));
        routes.MapUnary(NodeMethods.Enroll, (request, context) => Membership.EnrollAsync(request, context.CancellationToken));
        routes.MapUnary(NodeMethods.Renew, (request, context) => Task.FromResult(Membership.Renew(request, PeerIdentity.From(context.ClientCertificate))));
        routes.MapDuplex(NodeMethods.Session, (messages, context) =>
            Dispatcher.SessionAsync(messages, PeerIdentity.From(context.ClientCertificate), Plain(context.RemoteAddress), context.CancellationToken));
        routes.MapClientStream(NodeMethods.Publish, (records, context) =>
            Logs.PublishAsync(records, PeerIdentity.From(context.ClientCertificate), context.CancellationToken));
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
