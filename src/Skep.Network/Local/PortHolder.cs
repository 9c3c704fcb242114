using System.Net;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Sockets;

namespace Skep.Network.Local;

/// <summary>Which program has a port of the host, for the sentence that refuses it to somebody else.</summary>
internal static class PortHolder
{
    /// <param name="address">Null = any of the host's addresses.</param>
    /// <returns>Null when nobody has it, or nobody whose name can be known.</returns>
    public static string? Of(NetworkNamespace host, string protocol, uint port, IPAddress? address = null)
    {
        using var sockets = SocketTable.Open(host);
        var holding = protocol == "tcp" ? sockets.Tcps(SocketState.Listen) : sockets.Udps().Where(s => s.State == SocketState.Close);
        var inodes = holding.Where(s => s.Local.Port == port && s.Inode != 0 && Meets(s.Local.Address, address)).Select(s => s.Inode).ToList();
        return new SocketOwners().Of(inodes).Values
            .Where(o => o.Process != Environment.ProcessId).Select(o => o.Program).FirstOrDefault(p => p.Length > 0);
    }

    private static bool Meets(IPAddress held, IPAddress? wanted) =>
        wanted is null || held.Equals(wanted) || held.Equals(IPAddress.Any) || held.Equals(IPAddress.IPv6Any);
}
