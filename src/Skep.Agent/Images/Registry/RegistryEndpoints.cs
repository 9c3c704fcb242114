using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Rules;

namespace Skep.Agent.Images.Registry;

/// <summary>
/// Finds the way to a registry: https with a checked certificate; for registries that may be insecure https with any certificate,
/// then http. What worked is remembered.
/// </summary>
internal sealed class RegistryEndpoints : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly HttpClient _strict;
    private readonly HttpClient _lenient;
    private readonly ConcurrentDictionary<string, RegistryEndpoint> _known = new();

    public RegistryEndpoints(RegistryOptions options)
    {
        _options = options;
        _strict = Client(options, checkCertificates: true);
        _lenient = Client(options, checkCertificates: false);
    }

    public async Task<RegistryEndpoint> FindAsync(string domain, CancellationToken cancellationToken)
    {
        var host = domain == ImageReference.DefaultDomain ? $"registry-1.{ImageReference.DefaultDomain}" : domain;
        if (_known.TryGetValue(host, out var known))
        {
            return known;
        }
        if (!_options.MayBeInsecure(host, await AddressesAsync(host, cancellationToken)))
        {
            return _known[host] = new RegistryEndpoint(new Uri($"https://{host}/v2/"), _strict, Insecure: false);
        }
        var tls = new RegistryEndpoint(new Uri($"https://{host}/v2/"), _lenient, Insecure: true);
        if (await AnswersAsync(tls, cancellationToken))
        {
            return _known[host] = tls;
        }
        // Not remembered until it answers: the registry may only be starting, and speak TLS when it is up.
        var plain = new RegistryEndpoint(new Uri($"http://{host}/v2/"), _lenient, Insecure: true);
        return await AnswersAsync(plain, cancellationToken) ? _known[host] = plain : plain;
    }

    public void Dispose()
    {
        _strict.Dispose();
        _lenient.Dispose();
    }

    private static async Task<bool> AnswersAsync(RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, endpoint.Base);
            using var response = await endpoint.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    // A name that does not resolve is taken as secure; the request itself then tells why it fails.
    private static async Task<IReadOnlyList<IPAddress>> AddressesAsync(string host, CancellationToken cancellationToken)
    {
        var name = RegistryOptions.HostName(host);
        if (IPAddress.TryParse(name, out var address))
        {
            return [address];
        }
        try
        {
            return await Dns.GetHostAddressesAsync(name, cancellationToken);
        }
        catch (SocketException)
        {
            return [];
        }
    }

    private static HttpClient Client(RegistryOptions options, bool checkCertificates)
    {
        var handler = new SocketsHttpHandler
        {
            // Redirects are followed by hand: credentials must not go to another host.
            AllowAutoRedirect = false,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            AutomaticDecompression = DecompressionMethods.None,
        };
        if (!checkCertificates)
        {
#pragma warning disable CA5359 // The administrator named this registry as insecure, or it is on this machine.
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}

/// <param name="Base">Ends in /v2/.</param>
internal sealed record RegistryEndpoint(Uri Base, HttpClient Client, bool Insecure);
