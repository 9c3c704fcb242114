using System.Globalization;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Sockets;

namespace Skep.Network.Sockets;

/// <summary>
/// Datagram sockets that were connected to a VIP have one backend for good: no program runs when they send. When that backend is taken
/// out they are connected to the VIP once more, from here, which gives them another; the packet rules move the flows of theirs likewise.
/// </summary>
internal static class ConnectedDatagrams
{
    /// <summary>Connects sockets of one container again. How many were, and how many could not be.</summary>
    /// <param name="space">The container's network namespace.</param>
    /// <param name="group">The container's control group, which has its processes.</param>
    /// <param name="lost">What sockets were given that is to be given no more, by the socket's cookie.</param>
    public static (int Moved, int Failed) Move(NetworkNamespace space, string group, ILookup<ulong, ConnectedPeer> lost, ILogger logger)
    {
        using var table = SocketTable.Open(space);
        var peers = new Dictionary<ulong, ConnectedPeer>();
        var inodes = new HashSet<uint>();
        foreach (var socket in table.Udps().Where(s => s.State == SocketState.Established))
        {
            foreach (var peer in lost[socket.Cookie].Where(p => p.IsAt(socket.Remote)))
            {
                peers[socket.Cookie] = peer;
                inodes.Add(socket.Inode);
            }
        }

        var (moved, failed) = (0, 0);
        foreach (var socket in inodes.Count == 0 ? [] : ForeignSocket.Find(Processes(group), inodes))
        {
            using (socket)
            {
                var peer = peers[socket.Cookie()];
                try
                {
                    moved += TryMove(socket, peer) ? 1 : 0;
                }
                catch (IOException failure)
                {
                    failed++;
                    logger.NotMoved(failure, peer.Backend.ToString());
                }
            }
        }

        return (moved, failed);
    }

    // A program that has connected it elsewhere since keeps what it chose.
    private static bool TryMove(ForeignSocket socket, ConnectedPeer peer)
    {
        if (socket.Peer() is not { } now || now.Port != peer.Port || MapAddress.Of(now.Address) != peer.Vip)
        {
            return false;
        }

        socket.Connect(peer.Asked);
        return true;
    }

    private static List<int> Processes(string group)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFiles(group, "cgroup.procs", SearchOption.AllDirectories)
                    .SelectMany(f => File.ReadLines(f).Select(l => int.Parse(l, CultureInfo.InvariantCulture))),
            ];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
