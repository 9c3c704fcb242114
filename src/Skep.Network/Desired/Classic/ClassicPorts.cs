using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;
using Skep.Model.Specs;

namespace Skep.Network.Desired.Classic;

/// <summary>A service's ports of the mesh as iptables writes them.</summary>
internal static class ClassicPorts
{
    public static IEnumerable<(string Protocol, string Published, string Target)> Of(PlanService service) => Of(service.Ports);

    public static IEnumerable<(string Protocol, string Published, string Target)> Of(IEnumerable<PortConfig> ports) =>
        from port in ports
        where Ports.IsIngress(port) && port.PublishedPort is > 0
        orderby port.PublishedPort, Ports.Protocol(port)
        select (Ports.Protocol(port), Text(port.PublishedPort!.Value), Text(port.TargetPort));

    /// <summary>Who may reach a range, in front of the rest of a rule: <c>-s 10.0.0.0/8 -d 192.0.2.7/32 </c>; one for each pair of ranges that may meet.</summary>
    public static IEnumerable<string> Who(PublishedRange range) =>
        from source in Prefixes(range.Access?.Sources, "-s")
        from address in Prefixes(range.Access?.Addresses, "-d")
        select source + address;

    public static string Text(uint port) => port.ToString(CultureInfo.InvariantCulture);

    // iptables says nothing of what is everybody.
    private static IEnumerable<string> Prefixes(IReadOnlyList<string>? prefixes, string option) => prefixes is null
        ? [""]
        : prefixes.Select(IPNetwork.Parse).Where(p => p.BaseAddress.AddressFamily == AddressFamily.InterNetwork).Select(p => p.PrefixLength == 0 ? "" : $"{option} {p} ");
}
