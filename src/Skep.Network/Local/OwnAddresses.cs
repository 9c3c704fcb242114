using System.Net;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;

namespace Skep.Network.Local;

/// <summary>The addresses that the host has itself; those of its links alone are left out, since a socket needs the link's name beside them.</summary>
internal static class OwnAddresses
{
    public static List<IPAddress> Of(NetworkNamespace host)
    {
        using var routes = RouteNetlink.Open(host);
        return [.. routes.Addresses().Select(a => a.Address).Where(a => !a.IsIPv6LinkLocal).Distinct()];
    }

    /// <summary>Those of the addresses that lie in these ranges. Every address of 127.0.0.0/8 is a host's own, whether or not it is written on a link.</summary>
    public static IEnumerable<IPAddress> Within(IReadOnlyList<string> prefixes, IEnumerable<IPAddress> addresses)
    {
        var networks = prefixes.Select(IPNetwork.Parse).ToList();
        var loopback = networks.Where(n => n.PrefixLength == 32 && IPAddress.IsLoopback(n.BaseAddress)).Select(n => n.BaseAddress);
        return addresses.Where(a => networks.Exists(n => n.Contains(a))).Concat(loopback).Distinct();
    }
}
