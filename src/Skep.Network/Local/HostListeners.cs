using System.Collections.Immutable;
using System.Globalization;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Sockets;
using Skep.Kernel.Sysctl;
using Skep.Model.Objects;

namespace Skep.Network.Local;

/// <summary>
/// What programs of this host listen on. UDP ports of the ephemeral range come and go with what clients ask, and this daemon's own sockets
/// are in nobody's way; both are left out. Not thread-safe.
/// </summary>
internal sealed class HostListeners(NetworkNamespace host) : IDisposable
{
    private readonly SocketTable _sockets = SocketTable.Open(host);
    private readonly SocketOwners _owners = new();
    private HashSet<uint> _bound = [];

    /// <summary>In order. A UDP socket counts from the second look on: many are bound for one question and its answer.</summary>
    public ImmutableArray<HostListener> Read()
    {
        var (first, last) = Ephemeral();
        var listening = _sockets.Tcps(SocketState.Listen).Select(s => (Protocol: "tcp", Socket: s));
        var bound = _sockets.Udps().Where(s => s.State == SocketState.Close && (s.Local.Port < first || s.Local.Port > last)).Select(s => (Protocol: "udp", Socket: s)).ToList();
        var sockets = listening.Concat(bound.Where(b => _bound.Contains(b.Socket.Inode)))
            .Where(s => s.Socket.Inode != 0).ToList();
        _bound = [.. bound.Select(b => b.Socket.Inode)];
        var owners = _owners.Of([.. sockets.Select(s => s.Socket.Inode)]);
        return
        [
            .. from socket in sockets
               let owner = owners[socket.Socket.Inode]
               where owner.Process != Environment.ProcessId
               let listener = new HostListener(socket.Protocol, (ushort)socket.Socket.Local.Port, socket.Socket.Local.Address.ToString(), owner.Program)
               group listener by listener into same
               orderby same.Key.Protocol, same.Key.Port, same.Key.Address, same.Key.Program
               select same.Key,
        ];
    }

    public void Dispose() => _sockets.Dispose();

    private (int First, int Last) Ephemeral()
    {
        var range = SysctlFile.Get(host, "net.ipv4.ip_local_port_range").Split('\t', ' ');
        return range is [var first, var last]
            ? (int.Parse(first, CultureInfo.InvariantCulture), int.Parse(last, CultureInfo.InvariantCulture))
            : throw new IOException("net.ipv4.ip_local_port_range is no pair of numbers");
    }
}
