using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Bpf;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Sockets;

namespace Skep.Network.Sockets;

/// <summary>
/// Datagram sockets that were connected to a VIP have one backend for good: no program runs when they send. When that backend is taken
/// out they are connected to the VIP once more, from here, which gives them another; the packet rules move the flows of theirs likewise.
/// </summary>
internal static class ConnectedDatagrams
{
    /// <summary>Connects the sockets of one container again whose backend is one of <paramref name="left"/>. How many there were.</summary>
    /// <param name="space">The container's network namespace.</param>
    /// <param name="group">The container's control group, which has its processes.</param>
    /// <param name="peers">Which VIP each socket asked for (<see cref="SocketLayout.DatagramPeers"/>).</param>
    /// <param name="left">Backends that were taken out.</param>
    public static int Move(NetworkNamespace space, string group, BpfMap peers, IReadOnlySet<MapAddress> left, ILogger logger)
    {
        using var table = SocketTable.Open(space);
        var sockets = table.Udps().Where(s => s.State == SocketState.Established && left.Contains(MapAddress.Of(s.Remote.Address))).ToLookup(s => s.Remote);
        var moved = 0;
        foreach (var backend in sockets)
        {
            foreach (var socket in ForeignSocket.Find(Processes(group), backend.Select(s => s.Inode).ToHashSet()))
            {
                using (socket)
                {
                    moved += TryMove(socket, backend.Key, peers, logger) ? 1 : 0;
                }
            }
        }

        return moved;
    }

    private static bool TryMove(ForeignSocket socket, IPEndPoint backend, BpfMap peers, ILogger logger)
    {
        try
        {
            // One that was connected to the task's own address has no VIP.
            var vip = new byte[MapAddress.Size];
            if (!peers.TryGet(KeyOf(socket.Cookie(), backend), vip))
            {
                return false;
            }

            var address = new IPAddress(vip);
            socket.Connect(new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, backend.Port));
            return true;
        }
        catch (IOException failure)
        {
            logger.NotMoved(failure, backend.ToString());
            return false;
        }
    }

    private static byte[] KeyOf(ulong cookie, IPEndPoint backend)
    {
        var key = new byte[SocketLayout.FlowKeySize];
        MemoryMarshal.Write(key, cookie);
        MemoryMarshal.Write(key.AsSpan(8), MapAddress.Of(backend.Address));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(key.AsSpan(24), (ushort)backend.Port);
        return key;
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
