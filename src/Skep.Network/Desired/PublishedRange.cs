using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;
using Skep.Model.Specs;

namespace Skep.Network.Desired;

/// <summary>
/// Published ports of one service that lie side by side, lead to target ports side by side, and are open to the same clients: one
/// element of a set instead of one for each.
/// </summary>
/// <param name="Protocol">tcp, udp or sctp.</param>
/// <param name="First">The first published port.</param>
/// <param name="Last">The last published port.</param>
/// <param name="Target">The tasks' port for the first.</param>
/// <param name="Access">Who may reach them, and where; null = everybody, everywhere.</param>
internal sealed record PublishedRange(string Protocol, uint First, uint Last, uint Target, PlanPortAccess? Access)
{
    public bool IsSingle => First == Last;

    /// <summary>The tasks listen on the published ports themselves: only the address is to be translated.</summary>
    public bool KeepsPorts => First == Target;

    /// <summary>As nft writes it: <c>8000</c>, <c>8000-8100</c>.</summary>
    public string Ports => IsSingle ? First.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");

    /// <summary>Of a set over protocol and port: <c>tcp . 8000-8100</c>.</summary>
    public string Key => $"{Protocol} . {Ports}";

    /// <summary>Some clients or some local addresses only.</summary>
    public bool IsGuarded => Access is { Sources: not null } or { Addresses: not null };

    /// <summary>Its tasks are told their clients by PROXY headers (<see cref="RelayTables"/>).</summary>
    public bool IsRelayed => Access?.ProxyProtocol is not null && Protocol == "tcp";

    /// <summary>The ports of the routing mesh, in order.</summary>
    public static IReadOnlyList<PublishedRange> Of(PlanService service) =>
        Of(service.Ports.Where(p => Desired.Ports.IsIngress(p) && p.PublishedPort is > 0).Select(p => (p, service.AccessTo(p.PublishedPort!.Value))));

    /// <summary>A container's ports on its host, in order.</summary>
    public static IReadOnlyList<PublishedRange> Of(LocalSandbox sandbox) => Of(sandbox.HostPorts.Select((p, i) => (p, sandbox.AccessTo(i))));

    private static List<PublishedRange> Of(IEnumerable<(PortConfig Port, PlanPortAccess? Access)> ports)
    {
        var ranges = new List<PublishedRange>();
        foreach (var (port, access) in ports.OrderBy(p => Desired.Ports.Protocol(p.Port), StringComparer.Ordinal).ThenBy(p => p.Port.PublishedPort))
        {
            var single = new PublishedRange(Desired.Ports.Protocol(port), port.PublishedPort!.Value, port.PublishedPort.Value, port.TargetPort, access);
            if (ranges.Count > 0 && ranges[^1].Precedes(single))
            {
                ranges[^1] = ranges[^1] with { Last = single.Last };
            }
            else
            {
                ranges.Add(single);
            }
        }

        return ranges;
    }

    /// <summary>What this node listens on: what the plan gives it, less what programs of its own have.</summary>
    public static IEnumerable<PublishedRange> On(string nodeId, PlanService service, IReadOnlySet<HeldPort> held) =>
        Of(service).Where(r => r.ListensOn(nodeId)).SelectMany(r => r.Without(held));

    /// <summary>Each of its ports by itself, unless the tasks' ports are the published ones: nft translates no range by an offset.</summary>
    public IEnumerable<PublishedRange> Translated() => KeepsPorts ? [this] : Singles();

    public IEnumerable<PublishedRange> Singles() =>
        Enumerable.Range(0, (int)(Last - First) + 1).Select(i => this with { First = First + (uint)i, Last = First + (uint)i, Target = Target + (uint)i });

    private IEnumerable<PublishedRange> Without(IReadOnlySet<HeldPort> held)
    {
        var first = First;
        for (var port = First; port <= Last && held.Count > 0; port++)
        {
            if (held.Contains(new HeldPort(Protocol, port)))
            {
                if (port > first)
                {
                    yield return this with { First = first, Last = port - 1, Target = Target + first - First };
                }

                first = port + 1;
            }
        }

        if (first <= Last)
        {
            yield return this with { First = first, Target = Target + first - First };
        }
    }

    private bool ListensOn(string nodeId) => Access?.Nodes?.Contains(nodeId, StringComparer.Ordinal) != false;

    /// <summary>Elements over source, local address, protocol and port, of one family: every pair of prefixes that may meet.</summary>
    public IEnumerable<string> Guarded(AddressFamily family) =>
        from source in Prefixes(Access?.Sources, family)
        from address in Prefixes(Access?.Addresses, family)
        select $"{source} . {address} . {Key}";

    private bool Precedes(PublishedRange next) =>
        Protocol == next.Protocol && Last + 1 == next.First && next.Target - next.First == Target - First && ReferenceEquals(Access, next.Access);

    // nft prints a whole address without its length.
    private static IEnumerable<string> Prefixes(IReadOnlyList<string>? prefixes, AddressFamily family)
    {
        var (any, whole) = family == AddressFamily.InterNetwork ? ("0.0.0.0/0", 32) : ("::/0", 128);
        return prefixes is null
            ? [any]
            : prefixes.Select(IPNetwork.Parse).Where(p => p.BaseAddress.AddressFamily == family)
                .Select(p => p.PrefixLength == whole ? p.BaseAddress.ToString() : p.ToString());
    }
}
