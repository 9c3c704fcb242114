using System.Net.NetworkInformation;
using System.Net.Sockets;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>
/// The bridge that joins a lab's machines, in a network namespace of its own: the host's packet filter (which sees bridged frames when
/// br_netfilter is loaded, and drops them where another engine set FORWARD to DROP) stays out of the cluster's traffic. The host has one
/// interface into it.
/// </summary>
internal static class LabSwitch
{
    private const int Subnets = 250;

    /// <summary>The first K for which nothing on this machine uses 10.77.K.0/24.</summary>
    public static int FreeSubnet(IEnumerable<int> taken)
    {
        var used = taken.ToHashSet();
        foreach (var address in NetworkInterface.GetAllNetworkInterfaces().SelectMany(link => link.GetIPProperties().UnicastAddresses))
        {
            var bytes = address.Address.GetAddressBytes();
            if (address.Address.AddressFamily == AddressFamily.InterNetwork && bytes[0] == 10 && bytes[1] == 77)
            {
                used.Add(bytes[2]);
            }
        }

        var free = Enumerable.Range(0, Subnets).FirstOrDefault(subnet => !used.Contains(subnet), -1);
        return free >= 0 ? free : throw new ClusterException(ErrorKind.Conflict, "Every subnet in 10.77.0.0/16 is in use.");
    }

    public static async Task CreateAsync(LabPlace place, LabState state, CancellationToken cancellationToken)
    {
        await Tool.RunAsync("ip", ["netns", "add", place.Switch], "", cancellationToken);
        await Tool.RunAsync(
            "ip", ["-n", place.Switch, "-batch", "-"],
            """
            link set lo up
            link add br0 type bridge mcast_snooping 0
            link set br0 up
            """,
            cancellationToken);
        await Tool.RunAsync(
            "ip", ["-batch", "-"],
            $"""
            link add {state.HostLink} type veth peer name host netns {place.Switch}
            link set {state.HostLink} alias "skep lab {place.Name}"
            addr add {state.Gateway}/24 dev {state.HostLink}
            link set {state.HostLink} up
            """,
            cancellationToken);
        await Tool.RunAsync("ip", ["-n", place.Switch, "link", "set", "host", "master", "br0", "up"], "", cancellationToken);

        // A host without IPv6 has labs without it.
        await Tool.TryAsync("ip", ["addr", "add", $"{state.Address6Of(0xfe)}/64", "dev", state.HostLink, "nodad"], "", cancellationToken);
    }

    public static bool Exists(LabPlace place) => File.Exists($"/run/netns/{place.Switch}");

    public static async Task DeleteAsync(LabPlace place, LabState? state, CancellationToken cancellationToken)
    {
        if (state is not null)
        {
            await Tool.TryAsync("ip", ["link", "del", state.HostLink], "", cancellationToken);
        }
        else if (Exists(place))
        {
            await Tool.TryAsync("ip", ["-n", place.Switch, "link", "del", "host"], "", cancellationToken);
        }

        if (Exists(place))
        {
            await Tool.TryAsync("ip", ["netns", "del", place.Switch], "", cancellationToken);
        }
    }

    /// <summary>Pulls the machine's cable, or plugs it in: its eth0 loses or finds its carrier and keeps its addresses.</summary>
    public static Task SetCableAsync(LabPlace place, int node, bool plugged, CancellationToken cancellationToken) =>
        Tool.RunAsync("ip", ["-n", place.Switch, "link", "set", $"node{node}", plugged ? "up" : "down"], "", cancellationToken);

    public static async Task<bool> IsPluggedAsync(LabPlace place, int node, CancellationToken cancellationToken)
    {
        var (status, output, _) = await Tool.TryAsync(
            "ip", ["-n", place.Switch, "-br", "link", "show", "dev", $"node{node}", "up"], "", cancellationToken);
        return status == 0 && output.Length > 0;
    }

    /// <summary>The end that stays in the switch may outlive its machine by a moment.</summary>
    public static async Task UnplugAsync(LabPlace place, int node, CancellationToken cancellationToken) =>
        await Tool.TryAsync("ip", ["-n", place.Switch, "link", "del", $"node{node}"], "", cancellationToken);
}
