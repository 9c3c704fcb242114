using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.Model.Errors;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>What is read of the host once, at start.</summary>
internal static class HostFacts
{
    private const int UsualMtu = 1500;

    /// <summary>What this node is, before its own choices.</summary>
    public static NodeFacts Of(NetworkNamespace host, NodeNetworkOptions options) => new(options.Vtep, default)
    {
        UnderlayMtu = UnderlayLink(host, options.Vtep).Mtu,
        Classic = options.Classic,
        IPv6 = HasIPv6(host),
        Advertised = Advertised(host),
    };

    /// <summary>
    /// The gateway bridge's subnet: the one that the bridge has, else the one that was chosen before, else the first that overlaps
    /// none of the host's routes.
    /// </summary>
    public static IPNetwork GatewaySubnet(NetworkNamespace host, string chosen, IReadOnlyList<IPNetwork> wished)
    {
        using var routes = RouteNetlink.Open(host);
        if (routes.FindLink(SpaceNames.GatewayBridge) is { } bridge
            && routes.Addresses().FirstOrDefault(a => a.Index == bridge.Index && a.PrefixLength < 32 && a.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) is { } address)
        {
            return Addressing.NetworkOf(address.Address, address.PrefixLength);
        }

        if (chosen.Length > 0)
        {
            return IPNetwork.Parse(chosen);
        }

        var taken = routes.Routes().Where(r => r.Destination is { PrefixLength: > 0 }).Select(r => r.Destination!.Value).ToList();
        return GatewaySubnets.Choose(taken, wished)
            ?? throw new ClusterException(ErrorKind.FailedPrecondition, "every subnet that docker_gwbridge could have overlaps a route of this host");
    }

    /// <summary>
    /// The gateway bridge's IPv6 subnet: the one that the bridge has, else the one that was chosen before, else one of the node's own
    /// unique local addresses (RFC 4193). Null when the host has no IPv6 address beyond its links.
    /// </summary>
    public static IPNetwork? GatewaySubnet6(NetworkNamespace host, string chosen, string nodeId)
    {
        if (!HasIPv6(host))
        {
            return null;
        }

        using var routes = RouteNetlink.Open(host);
        var bridge = routes.FindLink(SpaceNames.GatewayBridge)?.Index;
        var loopback = routes.FindLink("lo")?.Index;
        var addresses = routes.Addresses().Where(a => a.Address.AddressFamily == AddressFamily.InterNetworkV6 && !a.Address.IsIPv6LinkLocal && a.Index != loopback).ToList();
        if (addresses.FirstOrDefault(a => a.Index == bridge) is { } address)
        {
            return Addressing.NetworkOf(address.Address, address.PrefixLength);
        }

        return chosen.Length > 0 ? IPNetwork.Parse(chosen) : addresses.Count > 0 ? OwnSubnet6(nodeId) : null;
    }

    public static bool HasIPv6(NetworkNamespace host) => host.Run(() => Directory.Exists("/proc/sys/net/ipv6"));

    /// <summary>The host's links that listen to routers because the host does not forward; none on a host that is a router already.</summary>
    public static ImmutableArray<string> Advertised(NetworkNamespace host) => host.Run(() =>
    {
        const string Folder = "/proc/sys/net/ipv6/conf";
        return Directory.Exists(Folder) && File.ReadAllText(Path.Combine(Folder, "all", "forwarding")).Trim() == "0"
            ? [.. Directory.EnumerateDirectories(Folder)
                .Where(d => Path.GetFileName(d) is not ("all" or "default" or "lo" or SpaceNames.GatewayBridge or HostMesh.Link)
                    && !Path.GetFileName(d).StartsWith("veth", StringComparison.Ordinal)
                    && File.ReadAllText(Path.Combine(d, "accept_ra")).Trim() == "1")
                .Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)]
            : ImmutableArray<string>.Empty;
    });

    private static IPNetwork OwnSubnet6(string nodeId)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes("skep/gateway/" + nodeId));
        return new IPNetwork(new IPAddress([0xfd, .. hash[..7], 0, 0, 0, 0, 0, 0, 0, 0]), 64);
    }

    /// <summary>The link that has the tunnels' address. MTU in bytes, no more than the largest that Ethernet is used with.</summary>
    public static (string Name, int Mtu) UnderlayLink(NetworkNamespace host, IPAddress vtep)
    {
        using var routes = RouteNetlink.Open(host);
        var index = routes.Addresses().FirstOrDefault(a => a.Address.Equals(vtep))?.Index;
        return routes.Links().FirstOrDefault(l => l.Index == index && l.Name != "lo") is { } link
            ? (link.Name, Math.Min(link.Mtu, UsualMtu * 6))
            : ("eth0", UsualMtu);
    }
}
