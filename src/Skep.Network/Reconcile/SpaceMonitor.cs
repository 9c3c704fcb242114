using Microsoft.Extensions.Logging;
using Skep.Kernel.NfLog;
using Skep.Kernel.Nftables;
using Skep.Kernel.Routes;
using Skep.Kernel.Xfrm;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Hears of changes to a namespace that we did not make.</summary>
internal static class SpaceMonitor
{
    /// <summary>Listens from the moment it is called until <paramref name="closed"/>.</summary>
    public static Task FollowAsync(Space space, Action<string, LoggedPacket> told, ILogger logger, CancellationToken closed) => Task.WhenAll(
        FollowRoutesAsync(space, RouteMonitor.FollowAsync(space.Namespace, space.Routes.PortId, closed), logger, closed),
        FollowTablesAsync(space, NftMonitor.FollowAsync(space.Namespace, closed), logger, closed),
        Balances(space.Name) ? FollowSignsAsync(space, told, logger, closed) : Task.CompletedTask,
        FollowEspAsync(space, logger, closed));

    private static async Task FollowRoutesAsync(Space space, IAsyncEnumerable<RouteNotice> notices, ILogger logger, CancellationToken closed)
    {
        await GuardAsync(space, logger, async () =>
        {
            await foreach (var notice in notices.WithCancellation(closed))
            {
                if (notice is RouteNotice.FdbNotice entry)
                {
                    if (KeepsNeighbours(space))
                    {
                        space.Notice(entry);
                    }
                }
                else if (Concerns(space, notice))
                {
                    space.Notice(SpaceParts.Routing);
                }
            }
        }, closed);
    }

    private static async Task FollowTablesAsync(Space space, IAsyncEnumerable<NftNotice> notices, ILogger logger, CancellationToken closed)
    {
        await GuardAsync(space, logger, async () =>
        {
            await foreach (var notice in notices.WithCancellation(closed))
            {
                if (!notice.IsOwn)
                {
                    space.Notice(SpaceParts.Tables);
                }
            }
        }, closed);
    }

    // What backends answer and refuse. Without it nothing is ejected; everything else goes on.
    private static Task FollowSignsAsync(Space space, Action<string, LoggedPacket> told, ILogger logger, CancellationToken closed) => GuardAsync(space, logger, async () =>
    {
        await foreach (var packet in PacketLog.FollowAsync(space.Namespace, RefusalRules.LogGroup, RefusalRules.LogLength, closed))
        {
            told(space.Name, packet);
        }
    }, closed);

    private static bool Balances(string name) => name is WantedSpace.Host or WantedSpace.IngressSandbox || SpaceNames.Parse(name) is not null;

    private static async Task FollowEspAsync(Space space, ILogger logger, CancellationToken closed)
    {
        if (space.Name.Length > 0 || !XfrmSupport.IsThere(space.Namespace))
        {
            return;
        }

        var notices = XfrmMonitor.FollowAsync(space.Namespace, closed);
        await GuardAsync(space, logger, async () =>
        {
            await foreach (var notice in notices.WithCancellation(closed))
            {
                if (!space.IsOwnXfrm(notice.PortId))
                {
                    space.Notice(SpaceParts.Esp);
                }
            }
        }, closed);
    }

    private static async Task GuardAsync(Space space, ILogger logger, Func<Task> follow, CancellationToken closed)
    {
        try
        {
            await follow();
        }
        catch (OperationCanceledException) when (closed.IsCancellationRequested)
        {
        }
        catch (Exception failure)
        {
            // The slow full pass still sees what this listener would have told.
            logger.ListenerLost(failure, space.Name);
        }
    }

    // Our own changes come back as notices too. What neighbours do by themselves matters only where we keep neighbours.
    private static bool Concerns(Space space, RouteNotice notice) =>
        (notice.PortId == 0 || notice.PortId != space.Routes.PortId)
        && (notice is not RouteNotice.NeighbourNotice neighbour || KeepsNeighbours(space) || (space.Name.Length == 0 && neighbour.Neighbour.Permanent));

    private static bool KeepsNeighbours(Space space) => space.AppliedParts is not { } parts || parts.Frame.Kind == SpaceKind.Overlay;
}
