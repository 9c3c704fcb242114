using System.Globalization;
using Skep.Model.Identity;

namespace Skep.Network.Desired;

/// <summary>The names of namespaces and of the cables on the gateway bridge.</summary>
internal static class SpaceNames
{
    public const string GatewayBridge = "docker_gwbridge";
    public const string IngressCable = "vethingress";

    /// <summary>The outer end, in an overlay network's namespace, of the classic data plane's load balancer.</summary>
    public const string BalancerCable = "vethlb";

    /// <summary>What the name of a load balancer's namespace begins with.</summary>
    public const string BalancerStart = "lb_";
    private const int Longest = 12;

    /// <summary>1-p3mwz3oli6: a number in the order of creation and as much of the network's id as fits in twelve characters.</summary>
    public static string OfNetwork(int number, string networkId)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{number}-{networkId}");
        return name.Length > Longest ? name[..Longest] : name;
    }

    /// <summary>lb_p3mwz3oli: the namespace of a network's load balancer in the classic data plane.</summary>
    public static string OfBalancer(string networkId) => (BalancerStart + networkId) is { Length: > Longest } name ? name[..Longest] : BalancerStart + networkId;

    /// <summary>A number and an id's beginning; null when the file is not a network's namespace.</summary>
    public static (int Number, string IdStart)? Parse(string name)
    {
        var dash = name.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && int.TryParse(name.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (number, name[(dash + 1)..])
            : null;
    }

    /// <summary>The outer end of a container's cable to the gateway bridge; an interface's name has at most 15 characters.</summary>
    public static string GatewayCable(string containerId) => "veth" + ContainerId.Short(containerId)[..Math.Min(11, ContainerId.Short(containerId).Length)];

    public static string OverlayCable(int number) => string.Create(CultureInfo.InvariantCulture, $"veth{number}");
}
