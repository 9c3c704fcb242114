using System.Globalization;
using Skep.Model.Specs;

namespace Skep.Network.Desired;

/// <summary>Published ports as nftables writes them.</summary>
internal static class Ports
{
    public static string Protocol(PortConfig port) => string.IsNullOrEmpty(port.Protocol) ? "tcp" : port.Protocol;

    public static bool IsIngress(PortConfig port) => string.IsNullOrEmpty(port.PublishMode) || port.PublishMode == PortConfig.Ingress;

    /// <summary>The key of a set over protocol and port: <c>tcp . 8000</c>.</summary>
    public static string Key(PortConfig port) =>
        string.Create(CultureInfo.InvariantCulture, $"{Protocol(port)} . {port.PublishedPort ?? 0}");
}
