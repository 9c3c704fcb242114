using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Network.Desired;

namespace Skep.Network.Sockets;

/// <summary>
/// Which sockets' datagrams go to a backend that serves them no more: told by comparing what sockets were given with what the maps say now, so
/// that what an earlier daemon left undone is seen as well. Namespaces without such a socket are not opened.
/// </summary>
internal sealed class DatagramMoves(NodeNetworkOptions options, ILogger logger)
{
    private bool _all;
    private bool _failed;

    /// <summary>What sockets were given before is not known to fit what the maps say.</summary>
    public void SuspectAll() => _all = true;

    /// <summary>Gives another backend to the sockets that have lost theirs.</summary>
    /// <param name="full">Try again what failed.</param>
    public void Run(SocketMaps maps, NodeView view, Func<string, NetworkNamespace> open, bool full)
    {
        _all |= full && _failed;
        if (!_all && maps.Left.Count == 0)
        {
            return;
        }

        var left = maps.Left.Select(l => l.Backend).ToHashSet();
        var given = Given(maps).Where(p => _all || left.Contains(p.Backend)).ToList();
        _failed = _failed && !_all;
        _all = false;
        maps.Left.Clear();
        foreach (var sandbox in given.Count == 0 ? [] : view.Sandboxes.Values)
        {
            var networks = WantedSockets.NetworksOf(sandbox);
            if (given.FindAll(p => IsLost(maps, networks, p)) is { Count: > 0 } lost)
            {
                Move(sandbox, lost, open);
            }
        }
    }

    // What goes wrong here is one container's and no reason to do without the rest.
    private void Move(LocalSandbox sandbox, IEnumerable<ConnectedPeer> lost, Func<string, NetworkNamespace> open)
    {
        try
        {
            using var space = open(sandbox.SpaceName);
            var (moved, failed) = ConnectedDatagrams.Move(space, Path.Combine(options.SocketGroup!, sandbox.Request.ContainerId), lost.ToLookup(p => p.Cookie), logger);
            _failed |= failed > 0;
            if (moved > 0)
            {
                logger.Moved(moved, sandbox.SpaceName);
            }
        }
        catch (Exception failure) when (failure is IOException or NetlinkException)
        {
            _failed = true;
            logger.NotMoved(failure, sandbox.SpaceName);
        }
    }

    // A VIP that is known no more has no other backend to give.
    private static bool IsLost(SocketMaps maps, ImmutableArray<uint> networks, ConnectedPeer peer) =>
        networks.Select(n => maps.Serves(n, peer.Vip, peer.Port, peer.Backend)).FirstOrDefault(s => s is not null) is false;

    private static IEnumerable<ConnectedPeer> Given(SocketMaps maps) =>
        maps.ByName[SocketLayout.DatagramPeers].Entries().Chunk(ConnectedPeer.Size).Select(e => ConnectedPeer.Read(e));
}
