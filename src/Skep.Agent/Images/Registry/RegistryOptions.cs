using System.Net;

namespace Skep.Agent.Images.Registry;

/// <summary>How registries are reached.</summary>
public sealed class RegistryOptions
{
    /// <value>Hosts (name or name:port) and CIDRs that may be spoken to without a valid certificate or in clear text. 127.0.0.0/8 and ::1 always may.</value>
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];

    /// <value>Layers of one image that are fetched at the same time; 3 unless told, as Docker has it.</value>
    public int ParallelDownloads { get; init; } = 3;

    /// <value>Attempts for one request before its failure is told; 5 unless told.</value>
    public int Attempts { get; init; } = 5;

    /// <value>Wait before the second attempt; it doubles each time. 1 s unless told.</value>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <value>Longest wait for a connection; 10 s unless told.</value>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <value>Longest silence in the middle of an answer before the transfer is taken up anew; 60 s unless told.</value>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    internal bool MayBeInsecure(string host, IEnumerable<IPAddress> addresses)
    {
        var name = HostName(host);
        if (InsecureRegistries.Any(entry => entry == host || entry == name))
        {
            return true;
        }
        var networks = InsecureRegistries.Select(entry => IPNetwork.TryParse(entry, out var network) ? network : (IPNetwork?)null).OfType<IPNetwork>().ToList();
        return addresses.Any(address => IPAddress.IsLoopback(address) || networks.Any(network => network.Contains(address)));
    }

    internal static string HostName(string host)
    {
        var colon = host.LastIndexOf(':');
        var name = colon > host.LastIndexOf(']') ? host[..colon] : host;
        return name.Trim('[', ']');
    }
}
