using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Skep.Model.Errors;

namespace Skep.Daemon.Swarm;

/// <summary>The address by which other nodes find this one.</summary>
internal static class AdvertiseAddress
{
    private static readonly string[] s_ours = ["docker", "br-", "veth", "ov-", "vx-"];

    /// <summary>What the user named (an address or an interface, with or without a port), or the one candidate that there is.</summary>
    /// <exception cref="ClusterException">InvalidArgument, with the sentence that the docker CLI completes.</exception>
    public static string Choose(string wish, string listen)
    {
        if (wish.Length > 0)
        {
            return Resolve(wish);
        }

        var (listenHost, _) = HostPort.Parse(listen, HostPort.DefaultControlPort);
        if (!IPAddress.TryParse(listenHost, out var bound) || !bound.Equals(IPAddress.Any) && !bound.Equals(IPAddress.IPv6Any))
        {
            return Resolve(listenHost);
        }

        var candidates = Candidates().ToList();
        return candidates.Count switch
        {
            1 => candidates[0].Address.ToString(),
            0 => throw ClusterException.Invalid("could not find the system's IP address"),
            _ => throw ClusterException.Invalid(
                "could not choose an IP address to advertise since this system has multiple addresses on "
                + (candidates.Select(c => c.Interface).Distinct().Count() == 1
                    ? $"interface {candidates[0].Interface} ({candidates[0].Address} and {candidates[1].Address})"
                    : $"different interfaces ({candidates[0].Address} on {candidates[0].Interface} and {candidates[1].Address} on {candidates[1].Interface})")),
        };
    }

    /// <summary>The address under which this machine would reach another.</summary>
    public static string Towards(string host, int port)
    {
        using var probe = new Socket(SocketType.Dgram, ProtocolType.Udp);
        try
        {
            probe.Connect(host, port);
        }
        catch (SocketException e)
        {
            throw new ClusterException(ErrorKind.Unavailable, $"there is no way to {host}: {e.Message}; name this node's address with --advertise-addr", e);
        }

        var local = ((IPEndPoint)probe.LocalEndPoint!).Address;
        return (local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local).ToString();
    }

    /// <summary>An address as it is, an interface by its one address.</summary>
    public static string Resolve(string wish)
    {
        var (host, _) = HostPort.Parse(wish, HostPort.DefaultControlPort);
        if (IPAddress.TryParse(host, out var address))
        {
            return address.ToString();
        }

        var card = NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(n => n.Name == host)
            ?? throw ClusterException.Invalid($"no such interface or address: {host}");
        var addresses = Of(card);
        return addresses.Count switch
        {
            1 => addresses[0].ToString(),
            0 => throw ClusterException.Invalid($"interface {host} has no address"),
            _ => throw ClusterException.Invalid($"interface {host} has more than one address ({addresses[0]} and {addresses[1]})"),
        };
    }

    /// <summary>This host has an IPv6 address with which it can be reached from beyond its links.</summary>
    public static bool HostHasIPv6() => Cards().SelectMany(All).Any(a => a.AddressFamily == AddressFamily.InterNetworkV6);

    private static IEnumerable<(string Interface, IPAddress Address)> Candidates() =>
        from card in Cards()
        from address in Of(card)
        select (card.Name, address);

    private static IEnumerable<NetworkInterface> Cards() => NetworkInterface.GetAllNetworkInterfaces().Where(card =>
        card.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
        && card.NetworkInterfaceType != NetworkInterfaceType.Loopback
        && !s_ours.Any(prefix => card.Name.StartsWith(prefix, StringComparison.Ordinal)));

    private static IEnumerable<IPAddress> All(NetworkInterface card) =>
        card.GetIPProperties().UnicastAddresses.Select(u => u.Address).Where(a => !a.IsIPv6LinkLocal && !IPAddress.IsLoopback(a));

    private static List<IPAddress> Of(NetworkInterface card)
    {
        var all = All(card).ToList();
        var four = all.Where(a => a.AddressFamily == AddressFamily.InterNetwork).ToList();
        return four.Count > 0 ? four : all;
    }
}
