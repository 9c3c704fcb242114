using System.Net;
using System.Net.Sockets;

namespace Skep.Kernel.Routes;

/// <summary>A rule that chooses a routing table (ip-rule(8)).</summary>
/// <param name="Family">IPv4 or IPv6.</param>
/// <param name="From">Source addresses it holds for; null = all.</param>
/// <param name="Mark">The packet mark it holds for; null = any.</param>
/// <param name="Table">The table that is looked into.</param>
/// <param name="Priority">Smaller comes first. The kernel's own are 0, 32766 and 32767.</param>
public sealed record Rule(AddressFamily Family, IPNetwork? From, uint? Mark, uint Table, uint Priority)
{
    /// <summary>
    /// The kernel's own message in hexadecimal digits, for a rule that asks for more or does something else than the rest tells (a link, ports, a
    /// blackhole). By it the rule can be told from others and deleted.
    /// </summary>
    public string? Foreign { get; init; }
}
