using System.Globalization;
using System.Net;
using Skep.Model.Errors;

namespace Skep.Daemon.Swarm;

/// <summary>Addresses as people write them: host, host:port, [v6]:port.</summary>
internal static class HostPort
{
    public const int DefaultControlPort = 2377;

    /// <exception cref="ClusterException">InvalidArgument: neither an address nor a name, or a bad port.</exception>
    public static (string Host, int Port) Parse(string text, int defaultPort)
    {
        var trimmed = text.Trim();
        if (IPAddress.TryParse(trimmed, out var plain) && (plain.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork || !trimmed.StartsWith('[')))
        {
            return (trimmed, defaultPort);
        }

        var colon = trimmed.LastIndexOf(':');
        var (host, portText) = colon >= 0 && !trimmed.EndsWith(']') ? (trimmed[..colon], trimmed[(colon + 1)..]) : (trimmed, "");
        var port = defaultPort;
        var bracketed = host.StartsWith('[') && host.EndsWith(']') && IPAddress.TryParse(host[1..^1], out _);
        if (host.Length == 0
            || (!bracketed && host.AsSpan().ContainsAny(":[] \t"))
            || (portText.Length > 0 && (!int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)))
        {
            throw ClusterException.Invalid($"invalid address \"{text}\": host:port is expected");
        }

        return (bracketed ? host[1..^1] : host, port);
    }

    public static string Format(string host, int port) => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
}
