using System.Net;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;
using Skep.Model.Errors;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>What is read of the host once, at start.</summary>
internal static class HostFacts
{
    private const int UsualMtu = 1500;

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

    /// <summary>The MTU of the link that has the tunnels' address.</summary>
    public static int UnderlayMtu(NetworkNamespace host, IPAddress vtep)
    {
        using var routes = RouteNetlink.Open(host);
        var index = routes.Addresses().FirstOrDefault(a => a.Address.Equals(vtep))?.Index;
        var mtu = routes.Links().FirstOrDefault(l => l.Index == index && l.Name != "lo")?.Mtu ?? UsualMtu;
        return Math.Min(mtu, UsualMtu * 6);
    }
}
