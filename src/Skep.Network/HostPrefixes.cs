using System.Net;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Kernel.Routes;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Network.Desired;
using Skep.Network.Dns;

namespace Skep.Network;

/// <summary>The host's own routes and name servers, for the managers: networks should not have their addresses.</summary>
public sealed class HostPrefixes
{
    /// <summary>A router of the world's routes need not tell them all; the widest say the most.</summary>
    private const int Most = 256;

    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(5);
    private readonly NetworkNamespace _host;

    internal HostPrefixes(NetworkNamespace host) => _host = host;

    /// <summary>Null before the first look.</summary>
    public Watched<IReadOnlyList<HostPrefix>?> Current { get; } = new(null, (next, now) => now is null || !next!.SequenceEqual(now));

    /// <summary>Those of the machine on which this runs.</summary>
    public static IReadOnlyList<HostPrefix> OfThisHost()
    {
        using var host = NetworkNamespace.Current();
        return new HostPrefixes(host).Read();
    }

    internal async Task FollowAsync(TimeProvider clock, ILogger logger, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(s_period, clock);
        do
        {
            try
            {
                Current.TryPublish(Read());
            }
            catch (Exception failure) when (failure is IOException or NetlinkException)
            {
                logger.RoutesUnread(failure.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    internal IReadOnlyList<HostPrefix> Read()
    {
        using var routes = RouteNetlink.Open(_host);
        var links = routes.Links().ToDictionary(l => l.Index, l => l.Name);
        var own = from route in routes.Routes()
                  where route is { Type: RouteType.Unicast, Table: Route.MainTable, Destination.PrefixLength: > 0 }
                  let link = links.GetValueOrDefault(route.LinkIndex)
                  where link is not null and not SpaceNames.GatewayBridge and not "lo"
                  let prefix = route.Destination!.Value
                  where !prefix.BaseAddress.IsIPv6LinkLocal && !prefix.BaseAddress.IsIPv6Multicast
                  orderby prefix.PrefixLength, prefix.ToString()
                  select new HostPrefix(prefix.ToString(), $"route {prefix} dev {link}");
        return [.. own.Distinct().Take(Most), .. NameServers().Distinct()];
    }

    private static IEnumerable<HostPrefix> NameServers() =>
        from address in ResolvConf.OfHost().Servers
        where !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal
        orderby address.ToString()
        select new HostPrefix($"{address}/{Addressing.BitsOf(address)}", $"name server {address}");
}
