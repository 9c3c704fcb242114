using Microsoft.Extensions.Logging;
using Skep.Kernel.Nftables;
using Skep.Kernel.Routes;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Hears of changes to a namespace that we did not make.</summary>
internal static class SpaceMonitor
{
    /// <summary>Listens from the moment it is called until <paramref name="closed"/>.</summary>
    public static Task FollowAsync(Space space, ILogger logger, CancellationToken closed) => Task.WhenAll(
        FollowRoutesAsync(space, RouteMonitor.FollowAsync(space.Namespace, closed), logger, closed),
        FollowTablesAsync(space, NftMonitor.FollowAsync(space.Namespace, closed), logger, closed));

    private static async Task FollowRoutesAsync(Space space, IAsyncEnumerable<RouteNotice> notices, ILogger logger, CancellationToken closed)
    {
        await GuardAsync(space, logger, async () =>
        {
            await foreach (var notice in notices.WithCancellation(closed))
            {
                if (Concerns(space, notice))
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
        && (notice is not (RouteNotice.NeighbourNotice or RouteNotice.FdbNotice) || KeepsNeighbours(space));

    private static bool KeepsNeighbours(Space space) => space.Applied is null or { Kind: SpaceKind.Overlay };
}
