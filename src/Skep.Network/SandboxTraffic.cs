using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Kernel.Sockets;

namespace Skep.Network;

/// <summary>What a sandbox's sockets tell of the flows to it. Its loopback is its own business and does not count.</summary>
public sealed record SandboxTraffic
{
    /// <summary>TCP ports that listen.</summary>
    public IReadOnlySet<int> TcpPorts { get; init; } = new HashSet<int>();

    /// <summary>UDP ports that are bound.</summary>
    public IReadOnlySet<int> UdpPorts { get; init; } = new HashSet<int>();

    /// <summary>Open connections that came in.</summary>
    public int Flows { get; init; }

    /// <summary>Connections that were closed here and whose last bytes the other side has not acknowledged yet.</summary>
    public int Closing { get; init; }

    /// <summary>Bytes of datagrams that arrived and were not read.</summary>
    public long Unread { get; init; }

    /// <summary>Null when the namespace is not there or the kernel tells nothing of its sockets.</summary>
    internal static SandboxTraffic? Of(string namespacePath)
    {
        try
        {
            using var ns = NetworkNamespace.Open(namespacePath);
            using var table = SocketTable.Open(ns);
            return Of(
                table.Tcps(
                    SocketState.Listen, SocketState.Established, SocketState.SynReceived, SocketState.NewSynReceived, SocketState.CloseWait,
                    SocketState.FinWait1, SocketState.LastAck, SocketState.Closing),
                table.Udps());
        }
        catch (Exception e) when (e is IOException or NetlinkException)
        {
            return null;
        }
    }

    internal static SandboxTraffic Of(IReadOnlyList<SocketEntry> tcps, IReadOnlyList<SocketEntry> udps)
    {
        var outside = tcps.Where(s => !System.Net.IPAddress.IsLoopback(s.Local.Address)).ToLookup(s => s.State);
        var datagrams = udps.Where(s => !System.Net.IPAddress.IsLoopback(s.Local.Address)).ToList();
        var listening = outside[SocketState.Listen].Select(s => s.Local.Port).ToHashSet();
        SocketState[] open = [SocketState.Established, SocketState.SynReceived, SocketState.NewSynReceived, SocketState.CloseWait];
        SocketState[] closing = [SocketState.FinWait1, SocketState.LastAck, SocketState.Closing];
        return new SandboxTraffic
        {
            TcpPorts = listening,
            UdpPorts = datagrams.Select(s => s.Local.Port).ToHashSet(),
            Flows = open.Sum(state => outside[state].Count(s => listening.Contains(s.Local.Port))),
            Closing = closing.Sum(state => outside[state].Count()),
            Unread = datagrams.Sum(s => (long)s.ReceiveQueue),
        };
    }
}
